"""What the caller reads and decides on: watched from the read to the commit, let go of afterwards."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.session.stock import data, stocked
from tests.session.ways import World
from tests.tools.backends import Backend
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    Conflict,
    ImplementationError,
    Session,
    UniquenessError,
)

#: Of the keys that a session reads here some fit under this many watches, some do not.
FEW = 3


@pytest.fixture(params=["embedded", "redis", "script", "partly by script"])
def server(request: pytest.FixtureRequest) -> Backend:
    """Each kind of server, and the real one where all or some of the reads are compared by script."""
    return request.getfixturevalue("embedded" if request.param == "embedded" else "real")


@pytest.fixture
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the database takes for that."""
    most = {"script": 0, "partly by script": FEW}.get(request.node.callspec.params["server"])
    return {} if most is None else {"max_watched": most}


@pytest.fixture
def ours(server: Backend, options: dict[str, Any]) -> World:
    world = World(server.database(**options))
    world.fill()
    return world


@pytest.fixture
def other(server: Backend, ours: World) -> World:
    """The same as another client has it."""
    return World(server.database())


def check_conflict(server: Backend, s: Session, *fields: str) -> None:
    """The commit is a Conflict that names *fields*, and nothing is applied."""
    before = data(server)
    with pytest.raises(Conflict) as caught:
        s.commit()
    assert fields == caught.value.fields
    assert before == data(server)


def test_a_lost_update(server: Backend, ours: World, other: World) -> None:
    """Without watch the value of another is overwritten, with it that is a Conflict."""
    for watch_reads in (False, True):
        with Session(ours.database, watch_reads=watch_reads) as s:
            found = int(ours.one().stock.get())
            other.one().stock.incr(100)
            ours.one().stock.set(found - 1)
            if watch_reads:
                check_conflict(server, s, "Product <1>.stock")
                s.rollback()
            else:
                s.commit()
                assert str(found - 1) == other.one().stock.get()
    assert "104" == other.one().stock.get()


QUERIES: dict[str, Callable[[World], object]] = {
    "two filters": lambda w: list(w.Product.collection(kind="food", tags="a")),
    "sorted": lambda w: list(w.Product.collection(kind="food", tags="a").sort(by="price")),
    "sliced": lambda w: w.Product.collection(kind="food", tags="a").sort(by="price")[0:1],
    "values": lambda w: list(w.Product.collection(kind="food", tags="a").values()),
    "intersected": lambda w: list(w.Person.collection(city="Paris").intersect(w.team().members, w.team().ranking)),
    "by score": lambda w: list(w.Person.collection(city="Paris").sort(by_score=w.team().ranking)),
    "stored": lambda w: list(w.Person.collection(city="Paris").store()),
    "a new pk": lambda w: w.Product(name="cake").pk.get(),
}


@pytest.mark.parametrize("watch", ["watch_reads", "watch"])
@pytest.mark.parametrize("query", QUERIES)
def test_a_query_does_not_drop_the_watches(server: Backend, ours: World, other: World, query: str, watch: str) -> None:
    """A query that needs an EXEC of its own, between the read and the commit, leaves what was read under watch."""
    with Session(ours.database, watch_reads=watch == "watch_reads") as s:
        if watch == "watch":
            s.watch(ours.one().stock)
        found = int(ours.one().stock.get())
        QUERIES[query](ours)
        other.one().stock.incr(100)
        QUERIES[query if query != "a new pk" else "sorted"](ours)
        ours.one().stock.set(found - 1)
        check_conflict(server, s, "Product <1>.stock")
        s.rollback()
    assert "105" == other.one().stock.get()


def test_watch_takes_fields_and_keys(server: Backend, ours: World, other: World) -> None:
    """Each is watched, also one that holds nothing; the Conflict names it as a field, or by its key."""
    client = other.client
    changes: dict[str, Callable[[], object]] = {
        "Product <1>.stock": lambda: other.one().stock.incr(),
        "Product <1>.tags": lambda: other.one().tags.sadd("z"),
        "Product <3>.notes": lambda: other.one("3").notes.hset("n", 1),
        "some key": lambda: client.set("some key", 1),
        "a set": lambda: client.sadd("a set", "z"),
    }
    for field, change in changes.items():
        with Session(ours.database) as s:
            s.watch(ours.one().stock, ours.one().tags, "some key")
            s.watch(ours.one("3").notes, "a set")
            ours.one("2").stock.incr()
            change()
            check_conflict(server, s, field)
            s.rollback()


def test_what_is_not_watched_may_change(ours: World, other: World) -> None:
    """Only what was named is watched, and a value that is set to what it was is the same."""
    with Session(ours.database) as s:
        s.watch(ours.one().stock, "some key")
        assert "a" in ours.one().tags.smembers()
        other.one().tags.srem("a")
        other.client.set("other key", 1)
        other.one().stock.set(5)
        ours.one().price.hset(1)
        assert [0] == s.commit()


@pytest.mark.parametrize("what", [(), (1,), (b"key",), (None,), ("key", 2.5), (["key"],)])
def test_watch_refuses_anything_else(ours: World, what: tuple[Any, ...]) -> None:
    """Nothing is watched then, and the session goes on."""
    with Session(ours.database) as s:
        with pytest.raises(ArgumentError, match=r"watch\(\) takes"):
            s.watch(*what)
        ours.one().stock.incr()
        assert [6] == s.commit()


def test_watch_refuses_models_and_new_objects(ours: World) -> None:
    """What has no key yet, or none of its own, cannot be watched."""
    with Session(ours.database, on_pending="discard") as s:
        for what in (ours.Product, ours.one(), ours.Product.stock, ours.Product(name="cake").stock):
            with pytest.raises((ArgumentTypeError, ImplementationError)):
                s.watch(what)


def test_one_answer_and_then_another(server: Backend, ours: World, other: World) -> None:
    """What was read twice and differed cannot be what the caller decided on, also where the first is there again."""
    with Session(ours.database, watch_reads=True) as s:
        assert "5" == ours.one().stock.get()
        other.one().stock.set(6)
        assert "6" == ours.one().stock.get()
        other.one().stock.set(5)
        ours.one().stock.set(60)
        check_conflict(server, s, "Product <1>.stock")
        s.rollback()


def test_the_same_value_written_is_no_conflict(ours: World, other: World) -> None:
    """The key was touched, so that EXEC aborts, but answers the same: the commit is tried again, and applied."""
    with Session(ours.database, watch_reads=True) as s:
        found = ours.one().stock.get(), ours.one().tags.smembers(), list(ours.Product.collection(kind="food"))
        other.one().stock.set(found[0])
        other.one().tags.delete()
        other.one().tags.sadd("b", "a")
        other.one().kind.hset("tool")
        other.one().kind.hset("food")
        ours.one().stock.incr()
        assert [6] == s.commit()


@pytest.mark.parametrize("changed", range(8))
def test_each_of_many_reads_counts(server: Backend, ours: World, other: World, changed: int) -> None:
    """However many keys are read, more than are watched on one connection too, each of them is guarded."""
    reads: list[tuple[str, Callable[[World], object], Callable[[World], object]]] = [
        ("Product <1>.stock", lambda w: w.one().stock.get(), lambda w: w.one().stock.incr()),
        ("Product <1>.tags", lambda w: w.one().tags.smembers(), lambda w: w.one().tags.sadd("z")),
        ("Product <1>.price", lambda w: w.one().price.hget(), lambda w: w.one().price.hset(1)),
        ("Product <1>.shelf", lambda w: w.one().shelf.llen(), lambda w: w.one().shelf.lpop()),
        ("index Product.kind", lambda w: list(w.Product.collection(kind="no")), lambda w: w.one().kind.hset("no")),
        ("Product <2>.notes", lambda w: w.one("2").notes.hgetall(), lambda w: w.one("2").notes.hset("a", 1)),
        ("Product <1>.sold", lambda w: w.one().sold.zscore("ann"), lambda w: w.one().sold.zincrby(0.25, "ann")),
        ("Product <2>.tags", lambda w: w.one("2").tags.srandmember(), lambda w: w.one("2").tags.sadd("z")),
    ]
    with Session(ours.database, watch_reads=True) as s:
        for _, read, _ in reads:
            read(ours)
        field, _, change = reads[changed]
        change(other)
        ours.one("3").code.set("new")
        check_conflict(server, s, field)
        s.rollback()


def test_the_next_commit_watches_anew(server: Backend, ours: World, other: World) -> None:
    """What was read before a commit is let go of by it; what is read after it is watched until the next."""
    with Session(ours.database, watch_reads=True) as s:
        ours.one().stock.get()
        ours.one().price.hset(1)
        s.commit()
        other.one().stock.incr()
        ours.one().price.hset(2)
        s.commit()
        ours.one().stock.get()
        other.one().stock.incr()
        ours.one().price.hset(3)
        check_conflict(server, s, "Product <1>.stock")
        s.rollback()
        other.one().stock.incr()
        ours.one().price.hset(4)
        s.commit()
    assert "4" == other.one().price.hget()


def test_a_commit_of_nothing(server: Backend, ours: World, other: World) -> None:
    """It compares what was read: as it was, nothing is watched any more; else it is a Conflict."""
    with Session(ours.database, watch_reads=True) as s:
        ours.one().stock.get()
        other.one("2").stock.incr()
        assert [] == s.commit()
        other.one().stock.incr()
        ours.one().price.hset(2)
        assert [0] == s.commit()
        ours.one().stock.get()
        other.one().stock.incr()
        check_conflict(server, s, "Product <1>.stock")
        s.rollback()
        assert [] == s.commit()


def test_after_a_conflict_it_stays_one(server: Backend, ours: World, other: World) -> None:
    """To commit again does not make the caller decide anew; rollback() and reading again does."""
    with Session(ours.database, watch_reads=True) as s:
        ours.one().stock.get()
        other.one().stock.incr()
        ours.one().stock.set(0)
        for _ in range(3):
            check_conflict(server, s, "Product <1>.stock")
        s.rollback()
        ours.one().stock.set(int(ours.one().stock.get()) + 1)
        s.commit()
    assert "7" == other.one().stock.get()


def test_a_refused_commit_keeps_the_watches(server: Backend, ours: World, other: World) -> None:
    """After a refusal the commands are still there, and what was read still counts."""
    with Session(ours.database, watch_reads=True) as s:
        ours.one().stock.get()
        ours.Product(name="cake")
        other.Product(name="cake")
        with pytest.raises(UniquenessError):
            s.commit()
        other.Product.get(name="cake").delete()
        other.one().stock.incr()
        check_conflict(server, s, "Product <1>.stock")
        s.rollback()


def test_a_dry_run_watches_and_sends_nothing(
    server: Backend, ours: World, other: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan shows what it stands on; what was said is kept, nothing is sent; another may change all of it."""
    before = server.dump()
    with Session(ours.database, watch_reads=True, dry_run=True) as s:
        found = ours.one().stock.get()
        ours.one().stock.set(int(found) - 1)
        for _ in range(2):
            (plan,) = s.commit()
            assert f"{plan}\n" == capsys.readouterr().out
            assert "read: Product <1>.stock" in str(plan)
        assert 1 == len(s.pending)
        assert before == server.dump()
        other.one().stock.incr()
    assert "6" == other.one().stock.get()


def test_exactly_the_plan_that_was_shown(server: Backend, ours: World, other: World) -> None:
    """commit(plan) is applied where what was read is as it was, and a Conflict where it has changed."""
    for changed in (False, True):
        with Session(ours.database, watch_reads=True) as s:
            found = int(ours.one().stock.get())
            ours.one().stock.set(found - 1)
            ours.Product(name=f"cake {found}")
            plan = s.plan()
            if changed:
                other.one().stock.incr(100)
                before = data(server)
                with pytest.raises(Conflict):
                    s.commit(plan)
                assert before == data(server)
                s.rollback()
            else:
                s.commit(plan)
                assert "4" == other.one().stock.get()


def test_a_plan_shown_before_another_read(ours: World) -> None:
    """What was read after the plan was shown is watched, too; the plan is another one then, and is not sent."""
    with Session(ours.database, watch_reads=True) as s:
        ours.one().stock.incr()
        plan = s.plan()
        ours.one().tags.smembers()
        with pytest.raises(Conflict, match="not the plan that was shown"):
            s.commit(plan)
        assert [6] == s.commit(s.plan())


def test_what_was_read_in_a_savepoint_stays_watched(server: Backend, ours: World, other: World) -> None:
    """Also where what was said in it is forgotten: the caller knows what was read."""
    with Session(ours.database, watch_reads=True) as s:
        ours.one().price.hset(1)
        with s.savepoint() as savepoint:
            ours.one().stock.get()
            ours.one().shelf.rpush("z")
            savepoint.rollback()
        other.one().stock.incr()
        check_conflict(server, s, "Product <1>.stock")
        s.rollback()
        ours.one().price.hset(1)
        s.commit()


def test_reads_of_what_the_session_made_watch_nothing(server: Backend) -> None:
    """A value that the session itself has set over nothing is not read from the server: others cannot change it."""
    ours = stocked(server)
    with Session(ours.database, watch_reads=True) as s:
        cake = ours.Product(name="cake", stock=3)
        assert ("3", "cake") == (cake.stock.get(), cake.name.hget())
        s.commit()
    assert () == s.last_plan.standing


def test_a_conflict_tells_of_its_own_commit(server: Backend, ours: World, other: World) -> None:
    """Where nothing was to be written there was no plan; the one of a commit before is not told again."""
    with Session(ours.database, watch_reads=True) as s:
        ours.one("2").code.set("first")
        s.commit()
        ours.one().stock.get()
        other.one().stock.set(7)
        with pytest.raises(Conflict) as caught:
            s.commit()
        assert (None, ("Product <1>.stock",)) == (caught.value.plan, caught.value.fields)
        assert not [key for key in caught.value.watched if key.startswith(":product:2:")]
        s.rollback()
