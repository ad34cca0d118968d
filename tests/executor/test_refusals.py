"""What the server refuses: permissions, memory, foreign types. Said exactly: nothing applied, or which part was."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from tests.executor.unit_of_work import Work, happened
from tests.tools.backends import Real
from tests.tools.servers import RealServer, free_port
from uowredis import PartiallyApplied, RedisDatabase, Rejected, Session, SessionError, Unreachable
from uowredis.executor.connection import refusal


@pytest.fixture(scope="module")
def own_server() -> Iterator[RealServer]:
    """A server of this module's own: its users and settings are changed."""
    with RealServer.start() as server:
        yield server


@pytest.fixture
def own(own_server: RealServer) -> Iterator[Real]:
    backend = Real(own_server)
    backend.flush()
    yield backend
    backend.close()


@contextmanager
def user(own: Real, *rules: str, **options: Any) -> Iterator[tuple[Work, redis.Redis]]:
    """Give work of a user who may do all but what *rules* say from then on, and an administrator."""
    admin = own.client()
    admin.execute_command("ACL", "SETUSER", "app", "reset", "on", ">secret", "~*", "&*", "+@all")
    url = own.server.url.replace("redis://", "redis://app:secret@")
    try:
        with RedisDatabase.from_url(url, **options) as database:
            work = Work(database)
            database.close()  # the next connection makes its first transaction
            admin.execute_command("ACL", "SETUSER", "app", *rules)
            yield work, admin
    finally:
        admin.execute_command("ACL", "DELUSER", "app")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("LOADING Redis is loading the dataset in memory", Unreachable),
        ("MOVED 3999 127.0.0.1:6381", Unreachable),
        ("ASK 3999 127.0.0.1:6381", Unreachable),
        ("TRYAGAIN Multiple keys request during rehashing of slot", Unreachable),
        ("CLUSTERDOWN The cluster is down", Unreachable),
        ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", Unreachable),
        ("READONLY You can't write against a read only replica.", Unreachable),
        ("EXECABORT Transaction discarded because of: MOVED 3999 127.0.0.1:6381", Unreachable),
        ("OOM command not allowed when used memory > 'maxmemory'.", Rejected),
        ("NOPERM this user has no permissions to run the 'get' command", Rejected),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", Rejected),
        ("MISCONF Redis is configured to save RDB snapshots", Rejected),
    ],
)
def test_who_does_not_serve_it_just_now_is_told_from_who_refuses(said: str, error: type[Rejected]) -> None:
    """The words are those of Redis 7."""
    assert refusal(redis.ResponseError(said)) is error


def check_rejected(work: Work, server: Real, allow: Callable[[], object], said: str, length: int = 1) -> None:
    """A commit is Rejected with what the server said; nothing is applied until it allows it."""
    with Session(work.database) as session:
        work.say(length)
        with pytest.raises(Rejected, match=said) as caught:
            session.commit()
        assert "nothing was" in str(caught.value)
        assert ("not applied", 0, 3 + length) == (session.outcome, happened(server), len(session.pending))
        # The connection is in order, or a new one.
        assert "old" == work.bread.name.hget()
        allow()
        session.commit()
    assert 1 == happened(server, length)


@pytest.mark.parametrize(
    "rule", ["-multi", "-exec", "-watch", "-rpush", "-sadd", "-incrby", "-get", "-@transaction", "-@write"]
)
def test_a_user_without_a_permission(own: Real, rule: str) -> None:
    """Whatever command of a commit is refused, no step of it runs: not bare either, where MULTI is refused."""
    with user(own, rule) as (work, admin):
        check_rejected(work, own, lambda: admin.execute_command("ACL", "SETUSER", "app", "+@all"), "permission")


@pytest.mark.parametrize("rule", ["-multi", "-exec", "-rpush", "-sadd"])
def test_a_large_plan_without_a_permission(own: Real, rule: str) -> None:
    """A plan of many chunks that is refused in one of them is not applied, and its MULTI is not left open."""
    with user(own, rule) as (work, admin):
        check_rejected(work, own, lambda: admin.execute_command("ACL", "SETUSER", "app", "+@all"), "permission", 2_100)


def test_a_user_without_scripts(own: Real) -> None:
    """Where EVAL is refused, guards that would go as a script refuse the commit."""
    with user(own, "-eval", max_watched=1) as (work, admin):
        check_rejected(work, own, lambda: admin.execute_command("ACL", "SETUSER", "app", "+@all"), "script")


@pytest.mark.parametrize("length", [1, 2_100], ids=["small", "large"])
@pytest.mark.parametrize("kind", ["new connection", "same connection"])
def test_multi_revoked_after_a_transaction(own: Real, kind: str, length: int) -> None:
    """Where MULTI is refused later on, no step runs bare on a new connection, and no error claims what is not so."""
    with user(own) as (work, admin):
        work.bread.hits.set(5)
        admin.execute_command("ACL", "SETUSER", "app", "-multi")
        if kind == "new connection":
            admin.execute_command("CLIENT", "KILL", "USER", "app")
        with Session(work.database, on_pending="discard") as session:
            work.say(length)
            with pytest.raises((Rejected, PartiallyApplied)) as caught:
                session.commit()
        applied = int(own.client().get(":product:1:visits") or 0)
        assert applied == happened(own, length)
        if kind == "new connection":
            assert 0 == applied
        assert ("nothing was applied" in str(caught.value)) <= (applied == 0)
        assert isinstance(caught.value, Rejected) <= (applied == 0)


def test_no_memory(own: Real) -> None:
    """Over maxmemory a commit is Rejected whole: its reads pass, its writes do not."""
    with own.database() as database:
        work = Work(database)
        admin = own.client()
        admin.config_set("maxmemory", "1")
        try:
            with pytest.raises(Rejected, match="OOM"):
                work.bread.visits.incr()
            with pytest.raises(Rejected, match="OOM"):
                work.bread.hits.incr()
            check_rejected(work, own, lambda: admin.config_set("maxmemory", "0"), "OOM")
        finally:
            admin.config_set("maxmemory", "0")


def test_no_memory_for_a_script(own: Real) -> None:
    """The same for a script: its first write is refused, so nothing is applied."""
    with own.database(max_watched=1) as database:
        work = Work(database)
        admin = own.client()
        admin.config_set("maxmemory", "1")
        try:
            with Session(database) as session:
                work.bread.hits.incr()
                with pytest.raises(Rejected, match="OOM"):
                    session.commit()
                assert 0 == happened(own)
                session.rollback()
        finally:
            admin.config_set("maxmemory", "0")
        with Session(database) as session:
            work.say()
            session.commit()
        assert 1 == happened(own)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"replica-serve-stale-data": "yes", "replica-read-only": "yes"}, "READONLY"),
        ({"replica-serve-stale-data": "no", "replica-read-only": "no"}, "MASTERDOWN"),
    ],
    ids=["read-only", "master down"],
)
def test_a_replica(own: Real, settings: dict[str, str], said: str) -> None:
    """A replica that takes no writes, or lost its master, refuses: that is Rejected, never unknown."""
    with own.database() as database:
        work = Work(database)
        admin = own.client()
        for name, value in settings.items():
            admin.config_set(name, value)
        admin.execute_command("REPLICAOF", "127.0.0.1", free_port())
        try:
            with pytest.raises(Rejected, match=said):
                work.bread.visits.incr()
            with Session(database) as session:
                work.say()
                with pytest.raises(Rejected, match=said):
                    session.commit()
                admin.execute_command("REPLICAOF", "NO", "ONE")
                assert 0 == happened(own)
                session.commit()
            assert 1 == happened(own)
        finally:
            admin.execute_command("REPLICAOF", "NO", "ONE")


def test_a_wrong_password(own: Real) -> None:
    """A refused login is Rejected with what the server said."""
    with (
        RedisDatabase.from_url(own.server.url.replace("redis://", "redis://app:wrong@")) as database,
        pytest.raises(Rejected, match=r"(?i)password"),
    ):
        Work(database)


@pytest.mark.parametrize("options", [{}, {"max_watched": 1}], ids=["MULTI", "EVAL"])
def test_a_foreign_type_that_no_read_met(real: Real, options: dict[str, Any]) -> None:
    """A command that fails inside EXEC does not undo the others: PartiallyApplied lists which; then only rollback."""
    work = Work(real.database(**options))
    client = real.client(decode_responses=True)
    client.set(":product:1:shelf", "no list")
    with Session(work.database) as session:
        work.say()
        with pytest.raises(PartiallyApplied, match=r"RPUSH :product:1:shelf 0 failed .*WRONGTYPE") as caught:
            session.commit()
        error = caught.value
        assert session.last_plan == error.plan
        commands = [step.call[0] for step in error.plan]
        assert len(commands) == len(error.results)
        failed = commands.index("RPUSH")
        assert [failed] == [place for place, result in enumerate(error.results) if isinstance(result, Exception)]
        assert 6 == error.results[commands.index("INCRBY")]
        assert ("6", "1") == (client.get(":product:1:hits"), client.get(":product:1:visits"))
        # A script ends at the error; EXEC goes on.
        assert bool(options) == (client.sismember(":product:name:new", "2") == 0)
        assert "partially applied" == session.outcome
        with pytest.raises(SessionError, match="rollback"):
            session.commit()
        session.rollback()
    assert "1" == work.bread.visits.get()


@pytest.mark.parametrize("options", [{}, {"max_watched": 1}], ids=["MULTI", "EVAL"])
def test_a_foreign_type_that_a_read_met(real: Real, options: dict[str, Any]) -> None:
    """A planning read that meets a foreign type refuses the plan: nothing is applied."""
    work = Work(real.database(**options))
    client = real.client(decode_responses=True)
    client.lpush(":product:name:new", "no set")
    with Session(work.database) as session:
        work.say()
        with pytest.raises(Rejected, match="SMEMBERS :product:name:new: WRONGTYPE"):
            session.commit()
        assert "not applied" == session.outcome
        client.delete(":product:name:new")
        assert 0 == happened(real)
        session.commit()
    assert 1 == happened(real)


def test_a_foreign_type_under_a_single_command(real: Real) -> None:
    """A single command that fails is Rejected: nothing was written."""
    work = Work(real.database())
    real.client().set(":product:1:shelf", "no list")
    with pytest.raises(Rejected, match="RPUSH :product:1:shelf x: WRONGTYPE"):
        work.bread.shelf.rpush("x")
    assert "5" == work.bread.hits.get()
