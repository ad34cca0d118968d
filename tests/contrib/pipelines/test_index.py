"""Indexed, unique and related fields change in a pipeline like any other, read back by plain redis-py."""

from typing import Any

import pytest

from tests.contrib.pipelines.people import SHAPES, on
from tests.contrib.related.wholeness import check_whole, decoded
from tests.models import Groups, groups
from tests.tools.backends import Backend
from uowredis import Session, UniquenessError


def everything(people: Groups) -> list[Any]:
    """Say all kinds of changes of indexed fields, with reads between them; return what each must answer."""
    a, b, c = (people.Person(pk) for pk in "123")
    group = people.Group("1")
    said = [
        (a.city.set("Rome"), True),
        (a.city.get(), "Rome"),
        (b.city.getset("Rome"), "Paris"),
        (a.city.append("!"), 5),
        (c.city.delete(), 1),
        (c.city.get(), None),
        (a.name.hset("b"), 0),
        (b.name.hset("a"), 0),
        (c.name.hdel(), 1),
        (a.tags.sadd("z"), 1),
        (a.tags.srem("x"), 1),
        (a.tags.smembers(), {"y", "z"}),
        (b.tags.spop(), "y"),
        (a.rows.rpush("r", "s", "r"), 3),
        (a.rows.lpop(), "r"),
        (a.rows.lrange(0, -1), ["s", "r"]),
        (b.scores.zadd({"k": 1, "l": 2}), 2),
        (b.scores.zremrangebyrank(0, 0), 1),
        (b.scores.zrange(0, -1), ["l"]),
        (group.owner.hset(b), 0),
        (group.owner.hget(), "2"),
        (group.members.sadd(c), 1),
        (group.members.srem(a), 1),
        (group.members.smembers(), {"2", "3"}),
    ]
    return [expected for _, expected in said]


@pytest.fixture
def stored(people: Groups) -> Groups:
    """Three persons and a group of the first two."""
    a, b, _ = people.three()
    people.Group(title="g", owner=a, members=[a, b])
    return people


#: What the index holds after it.
INDEX = {
    ":person:city:Rome!": {"1"},
    ":person:city:Rome": {"2"},
    ":person:name:a": {"2"},
    ":person:name:b": {"1"},
    ":person:tags:y": {"1"},
    ":person:tags:z": {"1"},
    ":person:rows:r": {"1"},
    ":person:rows:s": {"1"},
    ":person:scores:l": {"2"},
    ":group:title:g": {"1"},
    ":group:owner:2": {"1"},
    ":group:members:2": {"1"},
    ":group:members:3": {"1"},
}


def indexed(server: Backend) -> dict[str, Any]:
    """Return the index as plain redis-py reads it."""
    entries = [f":{model}:{field}:" for model, fields in SHAPES.items() for field in fields]
    return {key: held for key, held in decoded(server.dump()).items() if any(map(key.startswith, entries))}


def test_every_kind_of_change_keeps_the_index(server: Backend, stored: Groups) -> None:
    """Values added, removed, replaced and swapped, references moved: indexes and relations say what the fields say."""
    with stored.database.pipeline() as pipeline:
        expected = everything(stored)
        assert expected == pipeline.execute()
    assert INDEX == indexed(server)
    check_whole(server.dump(), SHAPES)


def test_a_pipeline_leaves_what_a_session_leaves(server: Backend, stored: Groups) -> None:
    """The same commands in a session, without the reads' waiting, end in the same data."""
    before = server.dump()
    with stored.database.pipeline() as pipeline:
        everything(stored)
        pipeline.execute()
    left = server.dump()
    assert before != left
    server.flush()
    people = groups(again := on(server))
    with again:
        a, b, _ = people.three()
        people.Group(title="g", owner=a, members=[a, b])
        assert before == server.dump()
        with Session(again) as session:
            everything(people)
            session.commit()
    assert left == server.dump()


def test_a_script_answers_the_same(real: Any) -> None:
    """Where the guards travel as a script, the replies of reads are the same, and so is what is left."""
    left = []
    for most in (1_000, 2):
        real.flush()
        with on(real, max_watched=most) as database:
            people = groups(database)
            a, b, _ = people.three()
            people.Group(title="g", owner=a, members=[a, b])
            with database.pipeline() as pipeline:
                a.hgetall()
                expected = [{"name": "a", "age": "30"}, *everything(people)]
                a.tags.sismember("y")
                a.hits.getbit(3)
                b.scores.zscore("l")
                b.scores.zscore("none")
                people.Person.collection(city="Rome").values("name", "hits")
                expected += [True, 1, 2.0, None, [{"name": "a", "hits": "1"}]]
                assert expected == pipeline.execute()
                assert (most == 2) is pipeline.last_plan.scripted
        left.append(real.dump())
    assert left[0] == left[1]


def test_a_constructor_keeps_the_index(server: Backend, people: Groups) -> None:
    """Objects made in a pipeline refer to each other before they have primary keys."""
    with people.database.pipeline() as pipeline:
        a = people.Person(name="a", city="Paris", tags=["x"])
        group = people.Group(title="g", owner=a, members=[a])
        b = people.Person(name="b")
        group.owner.hget()
        group.members.sadd(b)
        group.members.sismember(b)
        group.members.smembers()
        a.owned()
        b.membership().instances()
        assert [a, group, b, "1", 1, True, {"1", "2"}, ["1"], [group]] == pipeline.execute()
    check_whole(server.dump(), SHAPES)


def test_a_deletion_takes_references_along(server: Backend, stored: Groups) -> None:
    """References to what is deleted are cleared; reads before it at their place, collections after all."""
    a, group = stored.Person("1"), stored.Group("1")
    with stored.database.pipeline() as pipeline:
        group.owner.hget()
        stored.Group.collection(owner="1")
        a.delete()
        group.members.srem("2")
        assert ["1", [], None, 1] == pipeline.execute()
    assert (None, set()) == (group.owner.hget(), group.members.smembers())
    check_whole(server.dump(), SHAPES)


def test_a_unique_value_is_refused_whole(server: Backend, stored: Groups) -> None:
    """A unique value that is taken refuses the pipeline; nothing of it is applied, and it can go on."""
    a, b, _ = (stored.Person(pk) for pk in "123")
    before = server.dump()
    with stored.database.pipeline() as pipeline:
        a.city.set("Oslo")
        a.name.hset("b")
        a.name.hget()
        with pytest.raises(UniquenessError):
            pipeline.execute()
        assert before == server.dump()
        b.name.hset("a")
        assert [True, 0, "b", 0] == pipeline.execute()
    check_whole(server.dump(), SHAPES)
