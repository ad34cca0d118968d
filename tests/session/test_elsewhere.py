"""Each cell of the table "Who else runs" in docs/sessions.md: what is open here, seen from elsewhere."""

import asyncio
import contextlib
import contextvars
import gc
import multiprocessing
import os
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import greenlet
import pytest
import trio

from tests.models import products
from tests.session.test_whose import in_child
from tests.tools.backends import Backend, Embedded, Real
from uowredis import RedisDatabase, Session, SessionError
from uowredis.contrib.database import PipelineDatabase
from uowredis.session import context

PAGE = Path(__file__, "../../../docs/sessions.md").resolve()

Call = Callable[[], Any]

tested: dict[str, Callable[..., None]] = {}


def row(text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark the test of the table's row that begins with *text*."""

    def mark(test: Callable[..., None]) -> Callable[..., None]:
        assert text not in tested
        tested[text] = test
        return test

    return mark


def test_every_row_of_the_table_is_tested_and_no_other() -> None:
    """The table has every row tested, and each test its row."""
    rows = PAGE.read_text().partition("| seen from |")[2].partition("\n\n")[0].splitlines()[2:]
    assert sorted(tested) == sorted(line.strip("|").split(" | ")[0].strip() for line in rows)


#: What may be open: a session, one that watches, a pipeline, and a session in a savepoint.
OPENED: dict[str, Callable[[PipelineDatabase], Any]] = {
    "session": lambda on: Session(on),
    "watching": lambda on: Session(on, watch_reads=True),
    "pipeline": lambda on: on.pipeline(),
    "savepoint": lambda on: Session(on),
}


class Here:
    """Something is open here, and has said a write."""

    def __init__(self, on: PipelineDatabase, kind: str) -> None:
        self.database, self.kind = on, kind
        self.bread = products(on)(name="bread", stock=1)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Any]:
        """Open it, and check at the end that its owner can go on: all that it said is committed, and nothing else."""
        with OPENED[self.kind](self.database) as session, contextlib.ExitStack() as stack:
            if self.kind == "watching":
                self.bread.name.hget()
            inside = session.savepoint() if self.kind == "savepoint" else contextlib.nullcontext()
            stack.enter_context(inside)
            self.bread.visits.incr()
            yield session
            stack.close()
            assert 1 == len(session.pending)
            session.commit()
        assert "1" == self.bread.visits.get()

    def refused(self, session: Any) -> list[str]:
        """Use the session and the models; return what was answered."""
        found = []
        for use in (self.bread.stock.incr, session.plan, session.commit, session.rollback, session.savepoint):
            with pytest.raises(SessionError, match="another process, thread, task or greenlet"):
                use()
            found.append("refused")
        return found

    def own(self, session: Any) -> list[Any]:
        """Find nothing open: send at once, open one's own; the inherited one is refused."""
        sent = self.bread.stock.incr(100)
        with Session(self.database) as mine:
            self.bread.stock.incr(1000)
            mine.commit()
        with pytest.raises(SessionError, match="another process, thread, task or greenlet"):
            session.commit()
        return [sent, self.bread.stock.get()]


REFUSED = ["refused"] * 5
OWN = [101, "1101"]


def pipelines(server: Backend) -> PipelineDatabase:
    """Return a database with pipelines on *server*."""
    if isinstance(server, Real):
        return PipelineDatabase.from_url(server.server.url)
    assert isinstance(server, Embedded)
    return PipelineDatabase.embedded(server.server)


@pytest.fixture(params=OPENED)
def here(server: Backend, request: pytest.FixtureRequest) -> Iterator[Here]:
    with pipelines(server) as on:
        yield Here(on, request.param)


@pytest.fixture(params=OPENED)
def here_really(real: Real, request: pytest.FixtureRequest) -> Iterator[Here]:
    with pipelines(real) as on:
        yield Here(on, request.param)


@row("a fork while it is open")
def test_forked_while_open(here_really: Here) -> None:
    """The child sends at once over connections of its own; the watch of the parent goes on."""
    with here_really.opened() as session:
        assert str(OWN) == in_child(lambda: here_really.own(session))
    assert "1101" == here_really.bread.stock.get()


@row("a fork before it was opened")
def test_forked_before(here_really: Here) -> None:
    """The child knows nothing of it, though it goes on while it is open."""
    go, gone = os.pipe()
    said, heard = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(go, 1)
        os.write(heard, repr([here_really.bread.stock.incr(100), here_really.bread.stock.get()]).encode())
        os._exit(0)
    with here_really.opened():
        os.write(gone, b"x")
        assert "[101, '101']" == os.read(said, 100).decode()
        os.waitpid(child, 0)
    for each in (go, gone, said, heard):
        os.close(each)


@row("a fork after it was left")
def test_forked_after(here_really: Here) -> None:
    """The child sends at once, over connections of its own."""
    with here_really.opened():
        pass
    assert "[101, '101']" == in_child(lambda: [here_really.bread.stock.incr(100), here_really.bread.stock.get()])
    assert "101" == here_really.bread.stock.get()


def sends_at_once(url: str) -> Any:
    """Say something in a process that was spawned."""
    with RedisDatabase.from_url(url) as on:
        return products(on)("1").stock.incr(100)


@row("a spawned process")
def test_spawned(here_really: Here, real: Real) -> None:
    """It knows nothing of it."""
    with here_really.opened(), multiprocessing.get_context("spawn").Pool(1) as pool:
        assert 101 == pool.apply(sends_at_once, (real.server.url,))


def in_thread(call: Call) -> Any:
    """Return what *call* gives in another thread."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join(30)
    return found[0]


@row("a thread")
def test_in_a_thread(here: Here) -> None:
    """A new thread knows nothing of it; where it was given the context, all is refused."""
    with here.opened() as session:
        assert OWN == in_thread(lambda: here.own(session))
        copied = contextvars.copy_context()
        assert REFUSED == in_thread(lambda: copied.run(here.refused, session))


@row("a task of asyncio")
def test_in_a_task(here: Here) -> None:
    """One that was begun where it is open inherits the context, and is refused, as is a thread that asyncio gave it."""

    async def task(session: Any) -> Any:
        return here.refused(session)

    async def main() -> None:
        with here.opened() as session:
            assert REFUSED == await asyncio.create_task(task(session))
            assert REFUSED == await asyncio.to_thread(here.refused, session)

    asyncio.run(main())
    here.bread.visits.delete()
    with here.opened() as session:
        assert REFUSED == asyncio.run(task(session))


@row("a task of trio")
def test_in_a_task_of_trio(here: Here) -> None:
    """As a task of asyncio: refused where it was begun where it is open."""
    found = []

    async def task(session: Any) -> None:
        found.append(here.refused(session))

    async def main() -> None:
        with here.opened() as session:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(task, session)
            assert REFUSED == await trio.to_thread.run_sync(here.refused, session)

    trio.run(main)
    assert [REFUSED] == found


@row("a greenlet")
def test_in_a_greenlet(here: Here) -> None:
    """A bare one begins with an empty context and sends at once; one of gevent inherits it, and is refused."""
    with here.opened() as session:
        copied = contextvars.copy_context()
        assert OWN == greenlet.greenlet(here.own).switch(session)
        assert REFUSED == greenlet.greenlet(lambda: copied.run(here.refused, session)).switch()
        assert gevent.spawn(lambda: copied.run(here.refused, session)).get() == REFUSED


@row("`copy_context()`")
def test_in_a_copied_context(here: Here) -> None:
    """The same thread and task go on with it there; once it was left nothing is open there."""
    with here.opened() as session:
        copied = contextvars.copy_context()
        said = copied.run(here.bread.stock.incr)
        assert 2 == len(session.pending)
        session.rollback()
        here.bread.visits.incr()
    assert said is not None
    assert 101 == copied.run(here.bread.stock.incr, 100)


@row("a generator that opened it")
def test_opened_in_a_generator(here: Here) -> None:
    """It is open in the caller's context until the generator is finished, closed or collected; then nothing is."""

    def opening() -> Iterator[Any]:
        with OPENED[here.kind](here.database) as session:
            here.bread.visits.incr()
            yield session
            session.rollback()

    def finish(generator: Iterator[Any]) -> None:
        assert [] == list(generator)

    def collect(generator: Iterator[Any]) -> None:
        del generator

    for end in (finish, lambda generator: generator.close(), collect):
        generators = [opening()]
        session = next(generators[0])
        assert 1 == len(session.pending)
        del session
        end(generators.pop())
        gc.collect()
        assert here.bread.visits.get() is None
        assert context.find(here.database) is None


@row("an asynchronous generator that opened it")
def test_opened_in_an_asynchronous_generator(here: Here) -> None:
    """The same; one that is collected is closed by its loop, at the latest when that ends."""

    async def opening() -> AsyncIterator[Any]:
        with OPENED[here.kind](here.database) as session:
            here.bread.visits.incr()
            yield session
            session.rollback()

    async def finish(generator: Any) -> None:
        assert [] == [each async for each in generator]

    async def close(generator: Any) -> None:
        await generator.aclose()

    async def collect(generator: Any) -> None:
        del generator

    async def main(end: Any) -> None:
        generators = [opening()]
        session = await anext(generators[0])
        assert 1 == len(session.pending)
        del session
        await end(generators.pop())
        gc.collect()
        for _ in range(3):
            await asyncio.sleep(0)
        assert context.find(here.database) is None

    for end in (finish, close, collect):
        asyncio.run(main(end))
        assert here.bread.visits.get() is None


@row("an `ExitStack` that was dropped")
def test_a_dropped_stack(here: Here) -> None:
    """Nobody holds what it opened: it is closed, and what was said in it is forgotten."""
    stack = contextlib.ExitStack()
    session = stack.enter_context(OPENED[here.kind](here.database))
    if here.kind == "savepoint":
        stack.enter_context(session.savepoint())
    here.bread.visits.incr()
    del stack, session
    gc.collect()
    assert context.find(here.database) is None
    assert here.bread.visits.get() is None
    assert 2 == here.bread.stock.incr()
    assert not here.database._executor.pool.connections._in_use_connections


LEFT_OPEN = """
import sys
from tests.session.test_elsewhere import OPENED
from tests.models import products
from uowredis.contrib.database import PipelineDatabase
on = PipelineDatabase.from_url(sys.argv[1])
bread = products(on)("1")
session = OPENED[sys.argv[2]](on).__enter__()
bread.name.hget()
session.savepoint().__enter__()
bread.visits.incr()
print("left open")
"""


@row("the end of the interpreter")
def test_at_the_end_of_the_interpreter(here_really: Here, real: Real) -> None:
    """What was not committed is not sent; nothing is printed, nothing hangs."""
    command = [sys.executable, "-W", "error", "-c", LEFT_OPEN, real.server.url, here_really.kind]
    root = str(Path(__file__).parents[2])
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=root)
    assert (0, "left open\n", "") == (ended.returncode, ended.stdout, ended.stderr)
    assert here_really.bread.visits.get() is None


def test_the_table_says_what_the_tests_say() -> None:
    """The page has the table where it is looked for."""
    assert re.search(r"\| seen from \| the open session, watching session, pipeline, savepoint \|", PAGE.read_text())
