"""What a pipeline answers, in the order said: to reads and writes of all types what redis-py's own answers."""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
import redis

from tests.fields.test_commands_table import Theirs, models_of, unordered
from tests.models import Groups
from tests.tools.backends import Backend
from tests.whole.conversations import CONVERSATIONS, EXPIRING, Conversation
from uowredis import DoesNotExist, InstanceHashField, NotCommitted, Pending, RedisModel, StringField
from uowredis.contrib.database import PipelineDatabase

TALKS = [(owner, name) for owner in CONVERSATIONS for name in ("Plain", "Indexed")]


@attrs.frozen
class At:
    """redis-py's commands on a key of its own, whatever key is said."""

    client: Any
    key: str

    def __getattr__(self, method: str) -> Any:
        return lambda _, *args, **kwargs: getattr(self.client, method)(self.key, *args, **kwargs)


@pytest.fixture
def client(server: Backend) -> redis.Redis:
    """redis-py on the same server, with the shapes of replies that redis-py has documented all along."""
    return server.client(decode_responses=True, protocol=2)


def say(owner: type, example: Any, conversation: Conversation) -> None:
    saying = example if owner is RedisModel else example.field
    for one in conversation:
        getattr(saying, one.method)(*one.args, **one.kwargs)


def compare(server: Backend, client: redis.Redis, owner: type, model: Any, talks: list[Any], begun: int | None) -> None:
    """Hold *talks* in one pipeline, each on an object of its own, and by redis-py's on keys; compare replies and data.

    Args:
        server: where the data is.
        client: redis-py on it.
        owner: the type of the field.
        model: the model of the objects.
        talks: the conversations.
        begun: how many calls of each, from the end, are in the pipeline, the others before it; None: all, and the
            object is made there.
    """
    examples, keys = [], [f"plain:{number}" for number in range(len(talks))]
    for number, talk in enumerate(talks if begun is not None else ()):
        examples.append(model())
        examples[-1].pk.get()
        say(owner, examples[-1], talk[:-begun])
        for one in talk[:-begun]:
            Theirs(owner, At(client, keys[number])).say(one)
    said = [one for talk in talks for one in (talk[-begun:] if begun is not None else talk)]
    with client.pipeline() as theirs:
        for key, talk in zip(keys, talks, strict=True):
            for one in talk[-begun:] if begun is not None else talk:
                Theirs(owner, At(theirs, key)).say(one)
        expected = theirs.execute()
    with model.database.pipeline() as pipeline:
        examples = examples or [model() for _ in talks]
        for example, talk in zip(examples, talks, strict=True):
            say(owner, example, talk[-begun:] if begun is not None else talk)
        actual = pipeline.execute()
    shown = [(str(one), unordered(one, reply)) for one, reply in zip(said, expected, strict=True)]
    assert shown == [(str(one), unordered(one, reply)) for one, reply in zip(said, actual, strict=True)]
    data = server.dump()
    storage = "hash" if owner in (InstanceHashField, RedisModel) else "field"
    left = [data.get(f":{model.__name__.lower()}:{example._pk}:{storage}".encode()) for example in examples]
    assert [data.get(key.encode()) for key in keys] == left


@pytest.mark.parametrize("begun", [1, 9, None], ids=["last", "all", "new"])
@pytest.mark.parametrize(("owner", "name"), TALKS, ids=[f"{owner.__name__}-{name}" for owner, name in TALKS])
def test_replies_are_those_of_redis_pys_pipeline(
    server: Backend, client: redis.Redis, database: PipelineDatabase, owner: type, name: str, begun: int | None
) -> None:
    """Every command of every field type, with an index and without: on stored data (only the last of each conversation
    in the pipeline), all said in one pipeline, and on objects made in it."""
    compare(server, client, owner, models_of(owner, database)[name], CONVERSATIONS[owner], begun)


@pytest.mark.parametrize("begun", [1, 9, None], ids=["last", "all", "new"])
def test_what_expires(server: Backend, client: redis.Redis, database: PipelineDatabase, begun: int | None) -> None:
    """Values without index may expire, set in a pipeline, too."""
    compare(server, client, StringField, models_of(StringField, database)["Plain"], EXPIRING, begun)


def conversation(person: Any) -> Iterator[tuple[Any, Any]]:
    """Say writes with reads between them; yield what each gave with the reply that it must get."""
    yield person.city.set("Rome"), True
    yield person.city.get(), "Rome"
    yield person.city.append("!"), 5
    yield person.city.get(), "Rome!"
    yield person.city.set("Lyon"), True
    yield person.name.hget(), "a"
    yield person.name.hset("z"), 0
    yield person.hmget("name", "age"), ["z", "30"]
    yield person.age.hincrby(5), 35
    yield person.age.get(), "35"
    yield person.tags.smembers(), {"x", "y"}
    yield person.tags.srem("x", "none"), 1
    yield person.tags.sismember("x"), False
    yield person.tags.spop(), "y"
    yield person.tags.scard(), 0
    yield person.tags.sadd("u", "v"), 2
    yield person.tags.smembers(), {"u", "v"}
    yield person.rows.rpush("r", "s"), 2
    yield person.rows.lrange(0, -1), ["r", "s"]
    yield person.rows.lpop(), "r"
    yield person.rows.llen(), 1
    yield person.scores.zadd({"k": 1.5}), 1
    yield person.scores.zincrby(1, "k"), 2.5
    yield person.scores.zscore("k"), 2.5
    yield person.scores.zadd({"l": 0}), 1
    yield person.scores.zrange(0, -1, withscores=True), [("l", 0.0), ("k", 2.5)]
    yield person.hits.incr(), 4
    yield person.hits.incrbyfloat(0.5), 4.5
    yield person.hits.get(), "4.5"
    yield person.headers.hset("from", "me"), 1
    yield person.headers.hgetall(), {"from": "me"}
    yield person.headers.delete(), 1
    yield person.headers.hlen(), 0
    yield person.queue.lrange(0, -1), ["1", "2"]


def test_a_read_answers_as_it_is_at_its_place(people: Groups) -> None:
    """Between the writes before and after it, whatever the planner makes of them; the replies settle what was given."""
    person, _, _ = people.three()
    with people.database.pipeline() as pipeline:
        given = list(conversation(person))
        assert {True} == {isinstance(each, Pending) and each.waits for each, _ in given}
        replies = pipeline.execute()
    assert [expected for _, expected in given] == replies
    assert replies == [each.result for each, _ in given]


def test_a_read_is_not_taken_for_its_reply(people: Groups) -> None:
    """Before execute() what a read gave is refused as a value; it says what it waits for."""
    person, _, _ = people.three()
    with people.database.pipeline():
        read = person.hits.get()
        for use in (bool, int, list, lambda value: value == "3", lambda value: value.result):
            with pytest.raises(NotCommitted):
                use(read)
        assert "<Pending Person <1>.hits.get: waits for the commit>" == repr(read)
    with pytest.raises(NotCommitted):
        _ = read.result


def test_a_constructor_and_a_deletion_have_their_places(people: Groups) -> None:
    """A constructor gives its instance, ``delete()`` None, ``hmget()`` without names an empty list."""
    a, b, _ = people.three()
    with people.database.pipeline() as pipeline:
        a.hits.get()
        d = people.Person(name="d", hits=7)
        d.hits.get()
        d.hmget()
        b.delete()
        d.name.hset("e")
        d.hgetall()
        replies = pipeline.execute()
    assert ["3", d, "7", [], None, 0, {"name": "e"}] == replies
    assert replies[1] is d
    assert {"1", "3", "4"} == set(people.Person.collection())


def test_an_empty_object_holds_nothing_until_it_is_written(people: Groups) -> None:
    """Its reads are known at once, have their places all the same, and create nothing."""
    outside = people.Person()
    with people.database.pipeline() as pipeline:
        inside = people.Person()
        reads = [outside.hits.get(), outside.tags.smembers(), inside.hgetall(), inside.hmget("name", "age")]
        assert [None, set(), {}, [None, None]] == [read.result for read in reads]
        inside.name.hset("x")
        inside.name.hget()
        assert [None, set(), {}, [None, None], 1, "x"] == pipeline.execute()
    assert (["1"], None) == (list(people.Person.collection()), outside._pk)


def test_a_deleted_object_is_refused_at_once(people: Groups) -> None:
    """Also by other handles of it; what was said before the deletion is answered."""
    a, b, _ = people.three()
    other = people.Person("1")
    with people.database.pipeline() as pipeline:
        a.hits.get()
        other.hits.set(8)
        a.delete()
        for handle in (a, other):
            for use in (handle.hits.get, handle.hgetall, lambda one=handle: one.hits.set(1), handle.tags.smembers):
                with pytest.raises(DoesNotExist):
                    use()
        b.hits.get()
        assert ["3", True, None, "1"] == pipeline.execute()
        with pytest.raises(DoesNotExist):
            a.hits.get()


def test_an_object_that_is_gone_is_refused_whole(server: Backend, people: Groups) -> None:
    """A write for an object that others deleted refuses the pipeline; a mere read of it answers what Redis holds."""
    a, b, _ = people.three()
    people.Person("1").delete()
    with people.database.pipeline() as pipeline:
        a.hits.get()
        a.tags.smembers()
        assert [None, set()] == pipeline.execute()
        b.hits.set(9)
        a.hits.set(9)
        before = server.dump()
        with pytest.raises(DoesNotExist):
            pipeline.execute()
        assert before == server.dump()
        pipeline.reset()


def test_an_object_made_here_may_be_made_again(people: Groups) -> None:
    """Reads of one that was deleted and chosen again answer for the life in which they were said."""
    first = people.Shelf(label="s", town="Rome")
    with people.database.pipeline() as pipeline:
        first.town.hget()
        first.delete()
        second = people.Shelf(label="s", town="Oslo")
        second.town.hget()
        second.chosen.smembers()
        assert ["Rome", None, second, "Oslo", set()] == pipeline.execute()
    assert "Oslo" == people.Shelf("s").town.hget()
