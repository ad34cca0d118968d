"""Each line of the table "Leaving" in docs/sessions.md, through each of its doors."""

import asyncio
import contextvars
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.session.doors import BEGIN, DOORS, RUN, SESSION, Door, Planned, Stock, data, stocked
from tests.tools.backends import Backend, Real
from tests.tools.proxy import Proxy
from tests.tools.servers import RealServer
from uowredis import (
    Conflict,
    DoesNotExist,
    NotCommitted,
    OutcomeUnknown,
    RedisDatabase,
    Session,
    SessionError,
    UncommittedWrites,
    UniquenessError,
)

PAGE = Path(__file__, "../../../docs/sessions.md").resolve()

#: The lines that have a test, with the doors of it.
tested: dict[str, tuple[Door, ...]] = {}

Test = Callable[..., None]


def line(text: str, *doors: Door) -> Callable[[Test], Test]:
    """Mark the test of the table's line that begins with *text*, through *doors*, all by default."""
    assert text not in tested
    tested[text] = doors or DOORS
    return pytest.mark.parametrize("door", tested[text], ids=str)


def table() -> dict[str, tuple[str, ...]]:
    """Return the lines of the table: the first column, and the cells of the others."""
    rows = PAGE.read_text().partition("| how the block is left |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {first: tuple(others) for first, *others in cells}


def test_every_line_of_the_table_is_tested_and_no_other() -> None:
    """Each line is tested through each door for which its cell says something, and the table has every line tested."""
    said = {first: tuple(d for d, cell in zip(DOORS, cells, strict=True) if cell) for first, cells in table().items()}
    assert said == tested
    assert re.search(r"\| `Session\(db\)` \| `db.begin\(\)` \| `db.run\(function\)` \|", PAGE.read_text())


@pytest.fixture
def stock(server: Backend) -> Stock:
    return stocked(server)


class Saying:
    """Says a creation and a change, and knows what has become of them."""

    def __init__(self, server: Backend, stock: Stock) -> None:
        self.server, self.stock = server, stock
        self.bread = stock.Product("1")
        self.before = data(server)
        self.cake: Any = None
        self.pending: Any = None

    def __call__(self, s: Session) -> str:
        """Say it."""
        self.cake = self.stock.Product(name="cake", kind="food")
        self.pending = self.bread.stock.incr()
        return "said"

    def check_forgotten(self) -> None:
        """Nothing was sent, what was made does not exist, what was said has no reply, and the next session works."""
        assert self.before == data(self.server)
        with pytest.raises(DoesNotExist):
            self.cake.stock.get()
        with pytest.raises(NotCommitted, match="rolled back"):
            self.pending.result
        self.check_open_again()

    def check_applied(self) -> None:
        """All of it is there, once."""
        assert ("6", 6, "cake") == (self.bread.stock.get(), self.pending.result, self.cake.name.hget())
        assert {"1", self.cake.pk.get()} == set(self.stock.Product.collection(kind="food"))
        self.check_open_again()

    def check_open_again(self) -> None:
        """No session is open any more, and nothing is watched."""
        with Session(self.stock.database) as s:
            assert () == s.pending


@pytest.fixture
def saying(server: Backend, stock: Stock) -> Saying:
    return Saying(server, stock)


@line("cleanly, nothing pending")
def test_cleanly_with_nothing_pending(server: Backend, stock: Stock, door: Door) -> None:
    """Nothing happens; run returns the function's value; reads alone are nothing pending."""
    before = server.dump()
    assert "5" == door.through(stock.database, lambda s: stock.Product("1").stock.get())
    assert before == server.dump()


@line("cleanly, writes pending")
def test_cleanly_with_writes_pending(stock: Stock, saying: Saying, door: Door) -> None:
    """A session refuses and names what was never sent, the others commit; run returns the function's value."""
    if door is SESSION:
        with pytest.raises(UncommittedWrites, match=re.escape("<Product 1> created, Product <1>.stock.incr")):
            door.through(stock.database, saying)
        saying.check_forgotten()
        return
    assert "said" == door.through(stock.database, saying)
    saying.check_applied()


@pytest.mark.parametrize("choice", ["warn", "discard"])
@line('cleanly, writes pending, `on_pending="warn"` or `"discard"`')
def test_cleanly_with_writes_pending_as_chosen(stock: Stock, saying: Saying, door: Door, choice: str) -> None:
    """A session warns, where the block is, or does not; what commits by itself has nothing to warn of."""
    if door is SESSION:
        if choice == "warn":
            expected = pytest.warns(UserWarning, match="never sent: <Product 1> created")
            with expected as caught, Session(stock.database, on_pending="warn") as s:
                saying(s)
            assert [__file__] == [each.filename for each in caught]
        else:
            door.through(stock.database, saying, on_pending=choice)
        saying.check_forgotten()
        return
    assert "said" == door.through(stock.database, saying, on_pending=choice)
    saying.check_applied()


@line("cleanly, the commit is refused", BEGIN, RUN)
def test_cleanly_and_the_commit_is_refused(stock: Stock, saying: Saying, door: Door) -> None:
    """The error of the commit goes on, nothing is applied, all is forgotten; the function was called once."""
    calls = []

    def function(s: Session) -> None:
        calls.append(1)
        saying(s)
        stock.Product(name="bread")

    with pytest.raises(UniquenessError):
        door.through(stock.database, function)
    assert [1] == calls
    saying.check_forgotten()


@pytest.mark.parametrize("door", [BEGIN, RUN], ids=str)
def test_cleanly_and_the_commit_is_in_conflict(server: Backend, stock: Stock, saying: Saying, door: Door) -> None:
    """After a Conflict run calls the function again, begin() lets the error go on."""
    calls = []
    client = server.client()

    def function(s: Session) -> None:
        stock.Product("1").price.hget()
        if not calls:
            client.hset(":product:1:hash", "price", 7)
            saying.before = data(server)
        calls.append(1)
        saying(s)

    if door is RUN:
        door.through(stock.database, function)
        assert [1, 1] == calls
        saying.check_applied()
        return
    with pytest.raises(Conflict):
        door.through(stock.database, function, watch_reads=True)
    assert [1] == calls
    saying.check_forgotten()


@pytest.mark.parametrize("error", [Planned, KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
@line("by an exception, also KeyboardInterrupt")
def test_by_an_exception(stock: Stock, saying: Saying, door: Door, error: type[BaseException]) -> None:
    """The very exception goes on, untouched; what was said is forgotten; nothing is called again."""
    raised = error("mine")

    def inside(s: Session) -> None:
        saying(s)
        raise raised

    with pytest.raises(error) as caught:
        door.through(stock.database, inside)
    assert caught.value is raised
    assert [] == getattr(raised, "__notes__", [])
    saying.check_forgotten()


@line("after `commit()`")
def test_after_commit(stock: Stock, saying: Saying, door: Door) -> None:
    """Nothing more happens; in run the commit itself is refused, and nothing is applied."""

    def inside(s: Session) -> None:
        saying(s)
        s.commit()

    if door is RUN:
        with pytest.raises(SessionError, match="commits itself"):
            door.through(stock.database, inside)
        saying.check_forgotten()
        return
    door.through(stock.database, inside)
    saying.check_applied()


@line("after `rollback()`")
def test_after_rollback(stock: Stock, saying: Saying, door: Door) -> None:
    """Nothing happens; run returns, and nothing was applied."""

    def inside(s: Session) -> str:
        saying(s)
        s.rollback()
        return "back"

    assert "back" == door.through(stock.database, inside)
    saying.check_forgotten()


@line("after `commit()`, and more writes", SESSION, BEGIN)
def test_after_commit_and_more_writes(stock: Stock, saying: Saying, door: Door) -> None:
    """What was committed stays; of what came after a session says that it was not sent, begin() commits it, too."""

    def inside(s: Session) -> None:
        saying(s)
        s.commit()
        saying.bread.price.hset(3)

    if door is SESSION:
        with pytest.raises(UncommittedWrites, match=r"never sent: Product <1>.price.hset"):
            door.through(stock.database, inside)
    else:
        door.through(stock.database, inside)
    saying.check_applied()
    assert saying.bread.price.hget() == (None if door is SESSION else "3")


@line("after a commit whose outcome is unknown")
def test_after_a_commit_whose_outcome_is_unknown(
    real: Real, real_server: RealServer, door: Door, recwarn: pytest.WarningsRecorder
) -> None:
    """What was said is forgotten and not sent again; run and begin let OutcomeUnknown through, run calls once."""
    stocked(real)
    client = real.client(decode_responses=True)
    calls: list[Session] = []

    def inside(s: Session) -> None:
        calls.append(s)
        bread.stock.incr()
        if door is not RUN:
            with pytest.raises(OutcomeUnknown):
                s.commit()

    with Proxy(real_server) as proxy, RedisDatabase.from_url(proxy.url, settle_for=0) as database:
        bread = Stock(database).Product("1")
        proxy.cut(after="EXEC", down=True)
        if door is RUN:
            with pytest.raises(OutcomeUnknown):
                door.through(database, inside)
        else:
            door.through(database, inside)
        assert (1, "unknown", ()) == (len(calls), calls[0].outcome, calls[0].pending)
        assert 1 == sum(command[0] == b"EXEC" for command in proxy.seen)
        proxy.up()
        with Session(database) as s:
            assert "6" == bread.stock.get()
            assert () == s.pending
    assert "6" == client.get(":product:1:stock")
    assert [] == list(recwarn)


@line("dry run, writes pending", SESSION, BEGIN)
def test_dry_run(stock: Stock, saying: Saying, door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    """All is forgotten; begin() prints the plan, as its commit would."""
    door.through(stock.database, saying, dry_run=True)
    printed = capsys.readouterr().out
    assert printed.startswith("plan: <Product 1> created" if door is BEGIN else "")
    assert (door is BEGIN) == bool(printed)
    saying.check_forgotten()


@line("inside another session of the same database")
def test_inside_another_session(stock: Stock, saying: Saying, door: Door) -> None:
    """It is refused before anything runs in it; the session outside goes on."""
    inner = []
    with Session(stock.database) as s:
        saying(s)
        with pytest.raises(SessionError, match="open here already"):
            door.through(stock.database, inner.append)
        assert 2 == len(s.pending)
        s.commit()
    assert [] == inner
    saying.check_applied()


def in_thread(call: Callable[[], Any]) -> Any:
    """Return what *call* gives in another thread that has this one's context; an error of it is raised here."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, call).result()


def in_task(call: Callable[[], Any]) -> Any:
    """Return what *call* gives in a task that was begun here."""

    async def work() -> Any:
        return call()

    return asyncio.run(work())


@pytest.mark.parametrize("elsewhere", [in_thread, in_task])
@line("by another thread or task")
def test_by_another_thread_or_task(
    stock: Stock, saying: Saying, door: Door, elsewhere: Callable[[Callable[[], Any]], Any]
) -> None:
    """Whatever is first used there is refused: models, and every method; the session of the owner goes on unharmed."""

    def inside(s: Session) -> None:
        saying(s)
        bread = saying.bread
        uses = (bread.stock.get, bread.stock.incr, stock.Product, lambda: len(stock.Product.collection()))
        methods = (s.plan, s.rollback, s.savepoint, lambda: s.watch("key"), lambda: s.on_commit(print), bread.delete)
        for use in (*uses, *methods, s.commit) if door is not RUN else (*uses, *methods):
            with pytest.raises(SessionError, match="another process, thread, task or greenlet"):
                elsewhere(use)
        assert 2 == len(s.pending)
        if door is SESSION:
            s.commit()

    door.through(stock.database, inside)
    saying.check_applied()


def left_astray(door: Door, database: RedisDatabase, saying: Saying, error: Exception | None) -> object:
    """Leave by *error* a session that was entered, and in which something was said, in a copied context."""
    session = database.begin() if door is BEGIN else Session(database)

    def enter() -> None:
        saying(session.__enter__())

    contextvars.copy_context().run(enter)
    return session.__exit__(None if error is None else type(error), error, None)


@pytest.mark.parametrize("clean", [True, False])
@line("while another uses it by `s.use()`", SESSION, BEGIN)
def test_while_another_uses_it(stock: Stock, saying: Saying, door: Door, clean: bool) -> None:
    """Nothing is sent under the hands of who is inside; both are told."""
    session = stock.database.begin() if door is BEGIN else Session(stock.database)
    saying(session.__enter__())
    with ThreadPoolExecutor(1) as pool:
        used = session.use()
        pool.submit(used.__enter__).result()
        if clean:
            with pytest.raises(SessionError, match="left while it was in use"):
                session.__exit__(None, None, None)
        else:
            with pytest.warns(RuntimeWarning, match="left while it was in use"):
                assert not session.__exit__(Planned, Planned(), None)
        with pytest.raises(SessionError, match="left meanwhile"):
            pool.submit(used.__exit__, None, None, None).result()
    saying.check_forgotten()


@line("where it is not open, cleanly", SESSION, BEGIN)
def test_where_it_is_not_open_cleanly(stock: Stock, saying: Saying, door: Door) -> None:
    """What was said in it is forgotten, and the error says what models found meanwhile: no session."""
    with pytest.raises(SessionError, match="in a context in which it was not open"):
        left_astray(door, stock.database, saying, None)
    saying.check_forgotten()


@line("where it is not open, by an exception", SESSION, BEGIN)
def test_where_it_is_not_open_by_an_exception(stock: Stock, saying: Saying, door: Door) -> None:
    """The exception is not masked, and is not alone."""
    error = Planned()
    with pytest.warns(RuntimeWarning, match="in a context in which it was not open"):
        assert not left_astray(door, stock.database, saying, error)
    assert 1 == len(error.__notes__)
    saying.check_forgotten()


@line("a savepoint, cleanly")
def test_a_savepoint_cleanly(stock: Stock, saying: Saying, door: Door) -> None:
    """What was said in it is kept."""

    def inside(s: Session) -> None:
        with s.savepoint():
            saying(s)
        if door is SESSION:
            s.commit()

    door.through(stock.database, inside)
    saying.check_applied()


@pytest.mark.parametrize("error", [Planned, KeyboardInterrupt])
@line("a savepoint, by an exception")
def test_a_savepoint_by_an_exception(stock: Stock, saying: Saying, door: Door, error: type[BaseException]) -> None:
    """What was said in it is forgotten, the exception goes on; what was said before is kept."""
    raised = error()

    def inside(s: Session) -> None:
        saying.bread.price.hset(9)
        with pytest.raises(error) as caught, s.savepoint():
            saying(s)
            raise raised
        assert caught.value is raised
        if door is SESSION:
            s.commit()

    door.through(stock.database, inside)
    assert "9" == saying.bread.price.hget()
    saying.bread.price.hdel()
    saying.check_forgotten()
