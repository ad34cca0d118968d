"""A commit whose reply was lost, by what the caller asks for: tokens, single commands, reads under watch, replicas."""

import pickle
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.executor.test_interrupts import interrupted_at
from tests.executor.unit_of_work import Work, happened
from tests.models import products, things
from tests.tools.backends import TOKEN, Backend, Real
from tests.tools.exact import Models
from tests.tools.interruptions import interrupted
from tests.tools.proxy import Proxy
from tests.tools.servers import RealServer
from tests.whole.test_exact import CALLS, full
from uowredis import (
    ArgumentTypeError,
    Conflict,
    NotReplicated,
    OutcomeUnknown,
    PartiallyApplied,
    Plan,
    RedisDatabase,
    ReplyLost,
    Session,
    SessionError,
    Token,
    Unreachable,
)
from uowredis import session as session_package
from uowredis.contrib.database import PipelineDatabase


def tokens(real: Real) -> list[bytes]:
    return [key for key in real.client().keys("*") if TOKEN in key]


@pytest.fixture
def certain(proxy: Proxy, real: Real) -> Iterator[Work]:
    """Work whose single commands carry a token."""
    with RedisDatabase.from_url(proxy.url, certain=True) as database:
        yield Work(database)


# Tokens.


def test_tokens_do_not_pile_up(real: Real) -> None:
    """Each commit deletes what the one before has left; the last one expires."""
    work = Work(real.database(token_lifetime=60))
    for _ in range(20):
        work.bread.hits.incr()
    (left,) = tokens(real)
    assert left.startswith(b":product:__commit__:")
    assert 0 < real.client().ttl(left) <= 60


def test_no_token_in_process(embedded: Backend) -> None:
    """There is no connection to lose."""
    work = Work(embedded.database())
    with Session(work.database) as session:
        work.say()
        session.commit()
    assert None is session.last_plan.token
    assert [] == embedded.client().keys("*__commit__*")


def test_a_user_with_rights_on_the_keys_of_a_model(real: Real) -> None:
    """The token lies among them."""
    admin = real.client()
    admin.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~:product:*", "+@all")
    try:
        with real.database(username="limited", password="secret") as database:
            work = Work(database)
            work.bread.hits.incr()
            work.bread.hits.incr()
    finally:
        admin.execute_command("ACL", "DELUSER", "limited")
    assert 1 == len(tokens(real))


def test_only_reads_carry_none(real: Real) -> None:
    """What writes nothing can be read again; what takes a temporary key as well."""
    with PipelineDatabase.from_url(real.server.url) as database:
        bread = products(database)(name="a")
        before = tokens(real)
        with database.pipeline() as pipeline:
            bread.hits.get()
            pipeline.execute()
        assert None is pipeline.last_plan.token
    assert before == tokens(real)


def test_a_transaction_of_reads_that_is_lost(proxy: Proxy) -> None:
    """It is Unreachable: nothing was written, and it can be executed again."""
    with PipelineDatabase.from_url(proxy.url) as database:
        bread = products(database)(name="a")
        with database.pipeline() as pipeline:
            bread.hits.get()
            proxy.cut(after="EXEC")
            with pytest.raises(Unreachable, match="nothing was written"):
                pipeline.execute()
            assert [None] == pipeline.execute()


@pytest.mark.parametrize("given", [None, "token", b":product:__commit__:a", OutcomeUnknown("x")])
def test_what_is_no_token(server: Backend, given: Any) -> None:
    """It is refused, also what a single command without token has left."""
    with pytest.raises(ArgumentTypeError, match=r"settle\(\) takes the token .* RedisDatabase\(certain=True\)"):
        server.database().settle(given)


@pytest.mark.parametrize("age", [0, 50, 60, 1_000_000])
def test_a_token_that_is_over(real: Real, age: int) -> None:
    """What Redis may have forgotten is not asked: a key that is gone says nothing."""
    token, database = Token(":product:__commit__:a", time.time() - age, 60), real.database()
    if age < 54:
        assert "not applied" == database.settle(token)
    else:
        with pytest.raises(OutcomeUnknown, match=r"for 60 s, which are over.*token_lifetime") as caught:
            database.settle(token)
        assert token == caught.value.token
        assert [] == tokens(real)


@pytest.mark.parametrize(("side", "became"), [("before", "not applied"), ("after", "applied")])
def test_settled_by_another_process(proxy: Proxy, real: Real, side: str, became: str) -> None:
    """A token goes through pickle; who asks again is told the same, the session itself, too."""
    with RedisDatabase.from_url(proxy.url, settle_for=0) as database:
        work = Work(database)
        with Session(database) as session:
            work.say()
            proxy.cut(**{side: "EXEC"}, down=True)
            with pytest.raises(OutcomeUnknown, match="cannot be asked since") as caught:
                session.commit()
            token = pickle.loads(pickle.dumps(caught.value.token))
            assert became == real.database().settle(token) == real.database().settle(token)
            proxy.up()
            session.commit()
        assert ("applied", 1) == (session.outcome, happened(real))


def test_a_master_no_more_is_not_believed() -> None:
    """What it holds is replaced by what the next master has, where the commit may not be."""
    with RealServer.start() as server, server.client() as client:
        token = Token(":product:__commit__:a", time.time(), 60)
        client.set(token.key, "applied")
        client.replicaof(server.host, 1)
        with RedisDatabase.from_url(server.url, settle_for=0.05) as database:
            with pytest.raises(OutcomeUnknown, match=r"READONLY|read only"):
                database.settle(token)
            client.execute_command("REPLICAOF", "NO", "ONE")
            assert "applied" == database.settle(token)


def test_a_claim_that_is_refused(proxy: Proxy, real: Real) -> None:
    """Who may not write can still be told what was applied; that it was not, nobody promises him."""
    admin = real.client()
    admin.execute_command("ACL", "SETUSER", "reader", "on", ">secret", "~*", "+get", "+client")
    try:
        with (
            RedisDatabase.from_url(proxy.url, settle_for=0) as database,
            real.database(username="reader", password="secret", settle_for=0.05) as reader,
        ):
            work = Work(database)
            for side in ("before", "after"):
                with Session(database) as session:
                    work.say()
                    proxy.cut(**{side: "EXEC"}, down=True)
                    with pytest.raises(OutcomeUnknown) as caught:
                        session.commit()
                    if side == "after":
                        assert "applied" == reader.settle(caught.value.token)
                    else:
                        with pytest.raises(OutcomeUnknown, match=r"NOPERM|no permissions"):
                            reader.settle(caught.value.token)
                    session.rollback()
                proxy.up()
    finally:
        admin.execute_command("ACL", "DELUSER", "reader")


def test_a_script_of_which_a_command_failed(proxy: Proxy, real: Real) -> None:
    """Its token knows: it was applied in part, though the reply was lost."""
    with RedisDatabase.from_url(proxy.url, max_watched=0) as database:
        work = Work(database)
        real.client().delete(":product:1:stock")
        real.client().lpush(":product:1:stock", "no string")
        with Session(database) as session:
            work.bread.hits.incr()
            work.Product("1").stock.append("x")
            proxy.cut(after="EVAL")
            with pytest.raises(PartiallyApplied, match="their replies were lost"):
                session.commit()
            assert "partially applied" == session.outcome
            session.rollback()
    assert b"6" == real.client().get(":product:1:hits")


def test_lost_again_and_again(proxy: Proxy, real: Real) -> None:
    """Three times in a row; then it is known that nothing was applied, and it can be committed."""
    with RedisDatabase.from_url(proxy.url) as database:
        work = Work(database)
        with Session(database) as session:
            work.say()
            for _ in range(3):
                proxy.cut(before="EXEC")
            with pytest.raises(Unreachable, match="3 times in a row"):
                session.commit()
            assert (3, "not applied", 0) == (session._tried, session.outcome, happened(real))
            session.commit()
        assert 1 == happened(real)


# Single commands.


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_single_command_that_is_certain(certain: Work, proxy: Proxy, real: Real, side: str) -> None:
    """With certain=True it goes as a transaction, and counts once, with its reply."""
    proxy.cut(**{side: "EXEC"})
    assert 1 == certain.bread.visits.incr()
    assert b"1" == real.client().get(":product:1:visits")


def test_a_certain_reply_that_is_lost(certain: Work, proxy: Proxy, real: Real) -> None:
    """What depends on what was not read is told to have happened, and not what it was answered."""
    proxy.cut(after="EXEC")
    with pytest.raises(ReplyLost, match=r"Product <1>\.shelf\.rpush was applied"):
        certain.bread.shelf.rpush("x")
    assert [b"x"] == real.client().lrange(":product:1:shelf", 0, -1)


def test_what_certainty_costs(certain: Work, proxy: Proxy) -> None:
    """Two round trips where one would do; in process none."""
    certain.bread.visits.set(1)
    proxy.reset()
    certain.bread.visits.set(2)
    assert 2 == proxy.round_trips()


def test_a_certain_command_in_process(embedded: Backend) -> None:
    """It goes as it is."""
    assert 1 == Work(embedded.database(certain=True)).bread.visits.incr()


# What the caller read.


@pytest.mark.parametrize("changed", [False, True], ids=["unchanged", "changed"])
def test_what_was_read_under_watch(proxy: Proxy, real: Real, changed: bool) -> None:
    """Before it is sent again it is compared, since the watches were lost with the connection."""
    with RedisDatabase.from_url(proxy.url, settle_for=0) as database:
        work = Work(database)
        with Session(database, watch_reads=True) as session:
            assert "old" == work.bread.name.hget()
            work.bread.visits.incr()
            proxy.cut(before="EXEC", down=True)
            with pytest.raises(OutcomeUnknown):
                session.commit()
            if changed:
                real.client().hset(":product:1:hash", "name", "other")
            proxy.up()
            if changed:
                with pytest.raises(Conflict, match=r"Product <1>\.name"):
                    session.commit()
                session.rollback()
            else:
                assert [1] == session.commit()
    assert (None if changed else b"1") == real.client().get(":product:1:visits")


@pytest.mark.parametrize("how_lost", ["before", "after"])
def test_run_goes_on(proxy: Proxy, real: Real, how_lost: str) -> None:
    """The function is called once, its result returned."""
    calls = []

    def count(session: Session) -> str | None:
        calls.append(session)
        visits = work.bread.visits.get()
        work.bread.visits.set(int(visits or 0) + 1)
        return visits

    with RedisDatabase.from_url(proxy.url) as database:
        work = Work(database)
        proxy.cut(**{how_lost: "EXEC"})
        assert None is database.run(count)
    assert (1, b"1") == (len(calls), real.client().get(":product:1:visits"))


# Replies told again.


def test_a_reply_that_is_told_again_is_the_one_that_was_lost(proxy: Proxy, twin: Real) -> None:
    """Every command, on plain and on indexed fields: what was lost and is told is what another server answered."""
    told: list[str] = []
    with RedisDatabase.from_url(proxy.url) as database, twin.database() as other:
        models = [Models(on) for on in (database, other)]
        for kind, calls in CALLS.items():
            for index in ("", "indexed_"):
                for method, args, kwargs in calls:
                    replies: list[Any] = []
                    for on in models:
                        full(on)
                        pk = max(map(int, on.Thing.collection()))
                        with Session(on.Thing.database) as session:
                            field = getattr(on.Thing(pk), index + kind)
                            pending: Any = getattr(field, method)(*args, **kwargs)
                            if on is models[0]:
                                proxy.cut(after="EXEC")
                            session.commit()
                        replies.append(pending)
                        for each in on.Thing.collection().instances():
                            each.delete()
                    try:
                        found = replies[0].result
                    except ReplyLost:
                        continue
                    assert replies[1].result == found, (index, kind, method)
                    told.append(f"{index}{kind}.{method}")
    assert 45 <= len(told)
    assert {"string.incr", "indexed_string.set", "indexed_entry.hset", "indexed_headers.hincrby"} <= set(told)
    assert not {"set.sadd", "list.rpush"} & set(told)


# Replicas.


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[RealServer, RealServer]]:
    """A server, and a replica that has all of it."""
    with (
        RealServer.start("--repl-diskless-sync-delay", "0") as server,
        RealServer.start("--replicaof", server.host, str(server.port)) as replica,
        replica.client() as client,
    ):
        while client.info("replication")["master_link_status"] != "up":
            time.sleep(0.01)
        yield server, replica


@pytest.mark.parametrize("length", [1, 1_100], ids=["one write", "chunks"])
@pytest.mark.parametrize("scripted", [False, True], ids=["WATCH", "script"])
def test_a_replica_that_has_it(pair: tuple[RealServer, RealServer], length: int, scripted: bool) -> None:
    """The commit waits for it, and says how many had it; what was asked for once is asked of each session."""
    server, replica = Real(pair[0]), pair[1]
    server.flush()
    work = Work(server.database(replicas=1, replicas_for=5, max_watched=0 if scripted else 1_000))
    with Session(work.database) as session:
        work.say(length)
        session.commit()
    assert 1 == session.replicas
    assert ("WAIT", "1", "5000") == session.last_plan.calls()[-1]
    assert "replicas have it" in str(session.last_plan)
    with replica.client() as client:
        assert b"1" == client.get(":product:1:visits")
    assert 2 == work.bread.visits.incr()
    with Session(work.database, replicas=0) as session:
        work.bread.visits.incr()
        session.commit()
    assert None is session.replicas
    server.close()


def test_no_replica_has_it(server: Backend) -> None:
    """It was applied, all is as after any commit, and the shortfall is raised last."""
    called: list[Any] = []
    work = Work(server.database(replicas_for=0.01))
    with Session(work.database, replicas=2) as session:
        pending = work.bread.visits.incr()
        session.on_commit(lambda: called.append(session.outcome))
        if not server.real:
            # There is nobody to wait for in process.
            session.commit()
            return
        with pytest.raises(NotReplicated, match="applied, but only 0 of 2 replicas") as caught:
            session.commit()
        assert (0, 0, ["applied"], 1) == (caught.value.replicas, session.replicas, called, pending.result)
        assert [] == session.commit()
    with pytest.raises(NotReplicated), server.database(replicas=1, replicas_for=0.01) as one:
        products(one)("1").visits.incr()
    assert b"2" == server.client().get(":product:1:visits")


def test_replicas_of_a_commit_that_was_lost(proxy: Proxy, real: Real) -> None:
    """Nobody knows how many had it; that it was applied is known."""
    with RedisDatabase.from_url(proxy.url, replicas_for=0.01) as database:
        work = Work(database)
        with Session(database, replicas=1) as session:
            work.say()
            proxy.cut(after="EXEC")
            with pytest.raises(NotReplicated, match="nobody knows how many of 1") as caught:
                session.commit()
        assert (None, "applied", 1) == (caught.value.replicas, session.outcome, happened(real))


@pytest.mark.parametrize(
    "options",
    [
        {"certain": 1},
        {"replicas": -1},
        {"replicas": "many"},
        {"replicas_for": float("nan")},
        {"settle_for": -1},
        {"token_lifetime": 0},
    ],
)
def test_what_cannot_be(options: dict[str, Any]) -> None:
    """It is refused when it is said."""
    with pytest.raises(ValueError, match=next(iter(options))):
        RedisDatabase(**options)
    if "replicas" in options:
        with pytest.raises(ValueError, match="replicas"):
            Session(RedisDatabase.embedded(), **options)


def test_a_plan_shows_its_token(real: Real) -> None:
    """On paper without its random part; whole among the calls."""
    on = real.database()
    thing = things(on)(string="x")
    with Session(on) as session:
        thing.string.set("y")
        plan = session.plan()
        assert plan.token is not None
        lines = [" ".join(line.split()) for line in str(plan).splitlines()]
        assert "guard: nobody claims the token WATCH :thing:__commit__:<token>" in lines
        assert "effect: the token says that it was applied SET :thing:__commit__:<token> applied EX 3600" in lines
        assert ("WATCH", ":thing:__guard__:1", plan.token.key) == plan.calls()[0]
        assert plan == session.plan() == pickle.loads(pickle.dumps(plan))
        session.commit(plan)


# What is said around it.


def test_interrupted_while_it_is_settled(work: Work, proxy: Proxy, real: Real) -> None:
    """Wherever that comes, also while what was applied is noted: it happens once, whatever is committed then."""
    inside = str(Path(session_package.__file__).parent)

    def conversation(at: int) -> int:
        before = int(real.client().get(":product:1:visits") or 0)
        with Session(work.database, on_pending="discard") as session:
            work.bread.visits.incr()
            with interrupted_at(proxy, after="EXEC"):
                session.commit()
            proxy.resume()
            with interrupted(KeyboardInterrupt("now"), at, inside) as interruption, suppress(KeyboardInterrupt):
                session.commit()
            with suppress(SessionError):
                session.commit()
            session.rollback()
        assert b"%d" % (1 + before) == real.client().get(":product:1:visits")
        return interruption.points

    most = conversation(0)
    for at in range(1, most + 1):
        conversation(at)
    assert 20 < most


def test_a_commit_of_another_plan(work: Work, proxy: Proxy, real: Real) -> None:
    """What is in doubt is not taken for the plan that was shown."""
    with Session(work.database) as session:
        work.say()
        with interrupted_at(proxy, before="EXEC"):
            session.commit()
        proxy.resume()
        with pytest.raises(SessionError, match=r"this is not its plan. Way out: commit\(\) first"):
            session.commit(Plan("nothing changes"))
        session.commit()
    assert 1 == happened(real)


def test_a_savepoint_keeps_what_is_in_doubt_from_being_settled(work: Work, proxy: Proxy, real: Real) -> None:
    """What is committed in it could not be forgotten."""
    with Session(work.database) as session:
        work.say()
        with interrupted_at(proxy, before="EXEC"):
            session.commit()
        proxy.resume()
        with session.savepoint(), pytest.raises(SessionError, match="A savepoint is open"):
            session.commit()
        session.commit()
    assert 1 == happened(real)


def test_a_settled_commit_knows_nothing_of_replicas(work: Work, proxy: Proxy) -> None:
    """What the one before it was told is not what became of this one; the plan is the one that was in doubt."""
    with Session(work.database) as session:
        work.bread.visits.incr()
        session.commit()
        session._committer.acknowledged = 7
        work.bread.visits.incr()
        with interrupted_at(proxy, after="EXEC"):
            session.commit()
        proxy.resume()
        session.commit()
        assert None is session.replicas


def test_nothing_to_send_waits_for_no_replica(real: Real) -> None:
    """A plan without steps was not applied, and is on no replica."""
    with real.database(replicas=2, replicas_for=0.01) as database:
        Thing = things(database)  # noqa: N806
        with pytest.raises(NotReplicated):
            Thing(string="x")
        assert None is Thing(1).indexed_set.spop()
        with Session(database) as session:
            Thing(1).indexed_set.spop()
            assert [None] == session.commit()


def test_another_error_has_a_note_of_the_replicas(real: Real) -> None:
    """Of what was called after the commit, or of a reply."""
    work = Work(real.database())
    with Session(work.database, replicas=2) as session:
        work.bread.visits.incr()
        session.on_commit(lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError) as caught:
            session.commit()
    assert "only 0 of 2 replicas" in " ".join(caught.value.__notes__)


def test_a_user_who_may_not_delete(real: Real) -> None:
    """Tokens that are spent stay until they expire; a large commit goes through as a small one does."""
    admin = real.client()
    admin.execute_command("ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", "-del")
    try:
        with real.database(username="limited", password="secret") as database:
            work = Work(database)
            for length in (1, 1_500, 1_500):
                with Session(database) as session:
                    for number in range(length):
                        work.bread.shelf.rpush(number)
                    session.commit()
    finally:
        admin.execute_command("ACL", "DELUSER", "limited")
    assert 3_001 == admin.llen(":product:1:shelf")
