"""Commands of two fields: what redis-py does with two keys, with the indexes of both sides right."""

from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
import redis

from tests.tools.backends import Backend, Embedded, Real
from tests.tools.meanwhile import meanwhile
from tests.tools.monitor import Monitor
from tests.tools.proxy import Proxy
from tests.tools.wholeness import check_whole
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    Conflict,
    CrossPlace,
    DoesNotExist,
    ListField,
    PendingWrites,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    SortedSetField,
    UniquenessError,
)
from uowredis.contrib.database import PipelineDatabase
from uowredis.contrib.related import M2MSetField, RelatedModel

#: What each side holds before, and what is said of them: method, arguments behind the other field.
SETS = [({"a", "b"}, {"b", "c"}), ({"a"}, set()), (set(), {"a"})]
LISTS = [(["a", "b", "a"], ["c"]), (["a"], []), ([], ["a"])]
SAID: list[tuple[Any, Any, str, tuple[Any, ...]]] = [
    *((*held, name, ()) for held in SETS for name in ("sinter", "sunion", "sdiff")),
    *((*held, "smove", (value,)) for held in SETS for value in ("a", "b", "none")),
    *(
        (*held, "lmove", ends)
        for held in LISTS
        for ends in ((), ("LEFT", "LEFT"), ("right", "right"), ("RIGHT", "LEFT"))
    ),
    *((*held, "rpoplpush", ()) for held in LISTS),
]
WAYS = ("at once", "session", "pending", "run", "pipeline", "watching")


@attrs.frozen
class Place:
    """Two bins that hold the same kind of field, each with an index or not."""

    here: Any
    there: Any
    database: Any
    index: str

    def pair(self, method: str) -> tuple[Any, Any]:
        kind = "set" if method.startswith("s") else "list"
        names = {
            "none": ("", ""),
            "here": ("indexed_", ""),
            "there": ("", "indexed_"),
            "both": ("indexed_", "indexed_"),
        }
        one, other = names[self.index]
        return getattr(self.here, one + kind), getattr(self.there, other + kind)


def bins(on: RedisDatabase) -> type[Any]:
    class Bin(RedisModel):
        database = on
        set = SetField()
        indexed_set = SetField(indexable=True)
        list = ListField()
        indexed_list = ListField(indexable=True)

    return Bin


SHAPES = {"bin": {"indexed_set": None, "indexed_list": None}}


@pytest.fixture(params=["none", "here", "there", "both"])
def place(server: Backend, request: pytest.FixtureRequest) -> Iterator[Place]:
    """Two objects of one model, on a database with pipelines."""
    url = server.server.url if isinstance(server, Real) else None
    embedded = server.server if isinstance(server, Embedded) else None
    with PipelineDatabase.embedded(embedded) if url is None else PipelineDatabase.from_url(url) as on:
        model = bins(on)
        yield Place(model(set="x"), model(set="x"), on, request.param)


def fill(field: Any, values: Any) -> None:
    if values:
        (field.sadd if isinstance(field, SetField) else field.rpush)(*values)


def held(field: Any) -> Any:
    return field.smembers() if isinstance(field, SetField) else field.lrange(0, -1)


def said(way: str, database: Any, prepare: Callable[[], None], ask: Callable[[], Any]) -> Any:
    """Return what *ask* is answered, said in one of the WAYS; *prepare* is said along where all of it waits."""
    if way in ("session", "at once", "run", "pipeline"):
        prepare()
    if way == "at once":
        return ask()
    if way == "run":
        return result(database.run(lambda _: ask()))
    if way == "pipeline":
        with database.pipeline() as pipeline:
            answer = ask()
            pipeline.execute()
        return result(answer)
    with Session(database, watch_reads=way == "watching") as s:
        if way != "session":
            prepare()
        answer = ask()
        s.commit()
    return result(answer)


def result(answer: Any) -> Any:
    return answer.result if hasattr(answer, "waits") else answer


@pytest.mark.parametrize("way", WAYS)
def test_it_is_what_redis_py_does_with_two_keys(server: Backend, place: Place, way: str) -> None:
    """Replies and what is left, at once and in sessions of each kind; and the indexes of both say what fields say."""
    client = server.client(decode_responses=True)
    for one, other, method, args in SAID:
        here, there = place.pair(method)
        client.delete("here", "there")
        add = "sadd" if method.startswith("s") else "rpush"
        for key, values in (("here", one), ("there", other)):
            if values:
                getattr(client, add)(key, *values)
        theirs = (*args, "there") if method == "smove" else ("there", *args)
        expected = (
            client.smove("here", "there", *args) if method == "smove" else getattr(client, method)("here", *theirs)
        )

        def prepare(here: Any = here, there: Any = there, one: Any = one, other: Any = other) -> None:
            for field, values in ((here, one), (there, other)):
                field.delete()
                fill(field, values)

        def ask(here: Any = here, there: Any = there, method: str = method, args: Any = args) -> Any:
            return getattr(here, method)(there, *args)

        answer = said(way, place.database, prepare, ask)
        left = [client.type(key) != "none" and held_by(client, key) for key in ("here", "there")]
        assert (expected, left) == (answer, [held(field) or False for field in (here, there)]), (
            one,
            other,
            method,
            args,
        )
        client.delete("here", "there")
        check_whole(server.dump(), SHAPES)


def held_by(client: redis.Redis, key: str) -> Any:
    return client.smembers(key) if client.type(key) == "set" else client.lrange(key, 0, -1)


def test_within_one_object_and_one_list(server: Backend, place: Place) -> None:
    """A list is turned, a member of one set comes into another of the same object; nothing is lost on the way."""
    model, here = type(place.here), place.here
    here.indexed_list.rpush("a", "b", "c")
    assert ("a", "b", "c") == tuple(here.indexed_list.lmove(here.indexed_list) for _ in range(3))
    assert "c" == here.indexed_list.rpoplpush(here.indexed_list)
    assert ["c", "a", "b"] == here.indexed_list.lrange(0, -1)
    here.indexed_set.sadd("m")
    assert [True, True] == [here.indexed_set.smove(here.indexed_set, "m"), here.indexed_set.smove(here.set, "m")]
    assert [] == model.collection(indexed_set="m")
    assert {"m", "x"} == here.set.smembers()
    check_whole(server.dump(), SHAPES)


def test_a_session_sees_what_is_moved(server: Backend) -> None:
    """Reads, queries and further moves stand on those before; the plan says them, a rollback leaves all as it was."""
    database = server.database()
    model = bins(database)
    here, there, empty = model(indexed_list=["a", "b"], indexed_set="m"), model(), model()
    before = server.dump()
    with Session(database) as s:
        first, second, third = (s.later(here.indexed_list.lmove(there.indexed_list)) for _ in range(3))
        moved = s.later(here.indexed_set.smove(there.indexed_set, "m"))
        back = s.later(there.indexed_set.smove(empty.indexed_set, "m"))
        assert (["a", "b"], {"m"}) == (there.indexed_list.lrange(0, -1), empty.indexed_set.smembers())
        assert [there, empty] == [model.get(indexed_list="b"), model.get(indexed_set="m")]
        assert {"m"} == here.indexed_set.sunion(there.indexed_set, empty.indexed_set)
        assert "Bin <1>.indexed_list.lmove" in str(s.plan())
        s.rollback()
        assert before == server.dump()
        first, second, third = (s.later(here.indexed_list.lmove(there.indexed_list)) for _ in range(3))
        moved = s.later(here.indexed_set.smove(there.indexed_set, "m"))
        back = s.later(there.indexed_set.smove(empty.indexed_set, "m"))
        assert ["a", "b", None, True, True] == s.commit()
    assert ["a", "b", None, True, True] == [each.result for each in (first, second, third, moved, back)]
    check_whole(server.dump(), SHAPES)


def test_new_objects_take_part(server: Backend) -> None:
    """Those of the session itself, and empty ones, which are created by it, as by any write."""
    database = server.database()
    model = bins(database)
    here = model(indexed_list=["a"], indexed_set=["m"])
    with Session(database) as s:
        new, empty = model(set="x"), model()
        here.indexed_list.lmove(new.indexed_list)
        here.indexed_set.smove(empty.indexed_set, "m")
        s.commit()
    assert (["a"], {"m"}) == (new.indexed_list.lrange(0, -1), empty.indexed_set.smembers())
    assert "a" == new.indexed_list.lmove(model().indexed_list)
    assert set() == model().indexed_set.sinter(empty.indexed_set)
    check_whole(server.dump(), SHAPES)


def test_without_an_index_it_is_the_very_command(real: Real) -> None:
    """Outside of a session, and read in one round trip there: as redis-py would send it."""
    model = bins(real.database())
    here, there = model(set=["a", "b"], list=["a", "b"]), model(set="x")
    here.set.sinter(there.set)
    with Monitor(real.server) as seen:
        assert {"a", "b", "x"} == here.set.sunion(there.set)
        assert here.set.smove(there.set, "a")
        assert "a" == here.list.lmove(there.list, "left", "right")
        assert "b" == here.list.rpoplpush(there.list)
    assert [
        (b"SUNION", b":bin:1:set", b":bin:2:set"),
        (b"SMOVE", b":bin:1:set", b":bin:2:set", b"a"),
        (b"LMOVE", b":bin:1:list", b":bin:2:list", b"LEFT", b"RIGHT"),
        (b"RPOPLPUSH", b":bin:1:list", b":bin:2:list"),
    ] == seen


@pytest.mark.parametrize("before", ["lpop", "srem"])
def test_what_another_takes_meanwhile(real: Real, proxy: Proxy, before: str) -> None:
    """Alone, what stands there then goes; what a session stood on has changed, and db.run() decides anew."""
    database = RedisDatabase.from_url(proxy.url)
    model = bins(database)
    here, there = model(indexed_list=["a", "b", "c", "d", "e"], indexed_set=["m", "n"]), model(set="x")
    mine = bins(real.database()).get(here.pk.get())

    def take(_: object) -> None:
        mine.indexed_list.lpop() if before == "lpop" else mine.indexed_set.srem("m")

    def move() -> Any:
        return (
            here.indexed_list.lmove(there.indexed_list)
            if before == "lpop"
            else here.indexed_set.smove(there.indexed_set, "m")
        )

    with meanwhile(proxy, "EXEC", take, None):
        assert ("b" if before == "lpop" else False) == move()
    mine.indexed_set.sadd("m")
    with Session(database) as s:
        move()
        with meanwhile(proxy, "EXEC", take, None), pytest.raises(Conflict, match="indexed_"):
            s.commit()
        s.rollback()
    mine.indexed_set.sadd("m")
    with meanwhile(proxy, "EXEC", take, None):
        assert ("e" if before == "lpop" else False) == result(database.run(lambda _: move()))
    check_whole(real.dump(), SHAPES)
    database.close()


def test_what_else_changes_meanwhile_is_no_conflict(real: Real, proxy: Proxy) -> None:
    """Another member of the set, a value behind the list: the same is planned again."""
    database = RedisDatabase.from_url(proxy.url)
    model = bins(database)
    here, there = model(indexed_list=["a", "b"], indexed_set=["m", "n"]), model(set="x")
    mine = bins(real.database()).get(here.pk.get())

    def change(_: object) -> None:
        mine.indexed_set.srem("n")
        mine.indexed_list.rpush("c")

    with Session(database) as s:
        first, moved = (
            s.later(here.indexed_list.lmove(there.indexed_list)),
            s.later(here.indexed_set.smove(there.indexed_set, "m")),
        )
        with meanwhile(proxy, "EXEC", change, None):
            s.commit()
    assert ("a", True) == (first.result, moved.result)
    check_whole(real.dump(), SHAPES)
    database.close()


def test_unique_values_and_relations_follow(server: Backend) -> None:
    """A unique value goes from one to the other; a reference moves, and is found from the other side."""
    database = server.database()

    class Word(RedisModel):
        database = server.database()
        names = SetField(unique=True)
        other = SetField(unique=True)

    here, there, third = Word(names=["a", "b"]), Word(names="c"), Word(names="d")
    assert here.names.smove(there.names, "a")
    assert there == Word.get(names="a")
    third.other.sadd("b")
    with Session(Word.database) as s:
        here.names.smove(there.other, "b")
        with pytest.raises(UniquenessError):
            s.commit()
        s.rollback()

    class Friend(RelatedModel):
        database = server.database()

    class Circle(RelatedModel):
        database = Friend.database
        friends = M2MSetField(Friend)
        former = M2MSetField(Friend, related_name="left")
        circles = M2MSetField("self", related_name="within")

    friend = Friend()
    friend.pk.get()
    circle = Circle(friends=[friend])
    assert circle.friends.smove(circle.former, friend)
    assert ([], [circle.pk.get()]) == (list(friend.circle_set()), list(friend.left()))
    assert circle.former.sinter(circle.friends) == set()
    with pytest.raises(ArgumentTypeError, match="holds something else"):
        circle.former.smove(circle.circles, friend)
    database.close()


def test_values_of_a_type(server: Backend) -> None:
    """They are given, and taken; what holds another type is refused."""

    class Numbers(RedisModel):
        database = server.database()
        some = SetField(type=int, indexable=True)
        row = ListField(type=int)
        text = SetField()

    here, there = Numbers(some=[1, 2], row=[3, 4]), Numbers(some=[2])
    assert ({2}, {1}) == (here.some.sinter(there.some), here.some.sdiff(there.some))
    assert (True, 3) == (here.some.smove(there.some, 1), here.row.lmove(there.row))
    assert there == Numbers.get(some=1)
    with Session(Numbers.database) as s:
        moved = s.later(here.row.lmove(there.row))
        assert {1, 2} == here.some.sunion(there.some)
        s.commit()
    assert 4 == moved.result
    with pytest.raises(ArgumentTypeError, match="holds something else"):
        here.some.smove(there.text, 1)
    with pytest.raises(ArgumentTypeError, match="holds something else"):
        here.some.sinter(there.text)


def test_what_is_refused(server: Backend) -> None:
    """What is no field that holds the same, another database, ends that are none; nothing is written."""
    database = server.database()
    model, elsewhere = bins(database), bins(server.database())
    here, there = model(set=["a"], list=["a"]), elsewhere(set="x")
    before = server.dump()

    class Ranks(RedisModel):
        database = model.database
        ranks = SortedSetField()

    for wrong in (None, "a", {"a"}, model.set, here, here.list, Ranks().ranks, there.set):
        for act in (
            lambda w: here.set.smove(w, "a"),
            lambda w: here.set.sinter(w),
            lambda w: here.set.sdiff(here.set, w),
        ):
            with pytest.raises(ArgumentTypeError):
                act(wrong)
    for ends in (("UP",), ("LEFT", None), (1,)):
        with pytest.raises(ArgumentError, match="LEFT"):
            here.list.lmove(here.list, *ends)
    with pytest.raises(ArgumentTypeError):
        here.list.rpoplpush(here.set)
    gone = model(set="x")
    gone.delete()
    for move in (lambda: here.set.smove(gone.set, "a"), lambda: gone.set.smove(here.set, "a")):
        with pytest.raises(DoesNotExist):
            move()
        with Session(database) as s, pytest.raises(DoesNotExist):
            move()
        assert not s.pending
    with pytest.raises(DoesNotExist):
        here.set.sinter(gone.set)
    left = server.dump()
    left.pop(b":bin:max_pk")
    before.pop(b":bin:max_pk")
    assert before == left


def test_two_places(server: Backend) -> None:
    """What is in two of them is not moved, whether it is indexed or not; it is read, each field by itself."""
    on = server.database()

    class Shop(RedisModel):
        database = on
        place = "shop"
        plain = SetField()
        indexed = SetField(indexable=True)

    class Web(RedisModel):
        database = on
        place = "web"
        plain = SetField()
        indexed = SetField(indexable=True)

    here, there = Shop(plain=["a", "b"], indexed=["a", "b"]), Web(plain=["b"], indexed=["b"])
    before = server.dump()
    for name in ("plain", "indexed"):
        one, other = getattr(here, name), getattr(there, name)
        assert ({"b"}, {"a", "b"}) == (one.sinter(other), other.sunion(one))
        with pytest.raises(CrossPlace):
            one.smove(other, "a")
    assert before == server.dump()


def test_what_only_the_server_will_know_is_not_moved(server: Backend) -> None:
    """A drawn member of a set without index: whether another is there is not told before the commit."""
    model = bins(server.database())
    here, there = model(set=["a", "b"]), model(set="x")
    with Session(model.database) as s:
        here.set.spop()
        with pytest.raises(PendingWrites):
            here.set.smove(there.set, "a")
        assert 1 == len(s.pending)
        s.rollback()
