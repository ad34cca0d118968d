"""s.use(): a session is given to another thread, task or copied context, to one at a time; nobody waits."""

import asyncio
import contextvars
import functools
import gc
import itertools
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.session.doors import Planned, Stock, data, stocked
from tests.session.test_whose import in_child
from tests.tools.backends import Backend, Real
from tests.tools.interruptions import interrupted
from uowredis import NotCommitted, Session, SessionError
from uowredis.contrib.database import PipelineDatabase
from uowredis.session import context, use

KEY = ":product:1:stock"


@pytest.fixture
def stock(server: Backend) -> Stock:
    return stocked(server)


def in_thread(call: Callable[[], Any]) -> Any:
    """Return what *call* gives in another thread, which has no context of this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def in_thread_with_context(call: Callable[[], Any]) -> Any:
    """The same with a copy of the context, as ``asyncio.to_thread`` does it."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, call).result()


def in_task(call: Callable[[], Any]) -> Any:
    """Return what *call* gives in a task of its own."""

    async def run() -> Any:
        return call()

    return asyncio.run(run())


def in_empty_context(call: Callable[[], Any]) -> Any:
    """Return what *call* gives in this thread, in a context that knows of nothing."""
    return contextvars.Context().run(call)


ELSEWHERE = {"thread": in_thread, "with context": in_thread_with_context, "task": in_task, "context": in_empty_context}
EACH_ELSEWHERE = pytest.mark.parametrize("elsewhere", ELSEWHERE.values(), ids=ELSEWHERE)
OTHERS = {name: each for name, each in ELSEWHERE.items() if name != "context"}
EACH_OTHER = pytest.mark.parametrize("elsewhere", OTHERS.values(), ids=OTHERS)


@EACH_ELSEWHERE
def test_what_is_said_there_is_said_in_the_session(
    server: Backend, stock: Stock, elsewhere: Callable[..., Any]
) -> None:
    """It sees what is pending, waits for the commit, and is not there any more after the block."""
    on, before = stock.database, data(server)
    bread = stock.Product("1")
    with on.begin() as s:
        bread.stock.set(10)

        def there() -> list[Any]:
            with s.use() as used:
                assert used is s is on.session
                bread.stock.incr()
                with on.begin(join=True):
                    bread.price.hset(3)
                return [bread.stock.get(), len(s.pending), s.plan().steps != ()]

        assert ["11", 3, True] == elsewhere(there)
        bread.stock.incr()
        assert (before, "12") == (data(server), bread.stock.get())
    assert b"12" == server.client().get(KEY)
    assert on.session is None


@EACH_ELSEWHERE
def test_it_can_be_committed_and_rolled_back_there(
    server: Backend, stock: Stock, elsewhere: Callable[..., Any]
) -> None:
    """Who is inside may do what the owner may."""
    bread = stock.Product("1")
    with stock.database.begin() as s:
        pending = bread.stock.incr()

        def there() -> Any:
            with s.use():
                replies = s.commit()
                bread.stock.incr(100)
                s.rollback()
                return replies

        assert [6] == elsewhere(there)
        assert 6 == pending.result
        bread.stock.incr()
    assert b"7" == server.client().get(KEY)


@EACH_ELSEWHERE
def test_an_exception_there_leaves_the_session_as_it_is(stock: Stock, elsewhere: Callable[..., Any]) -> None:
    """The block decides nothing; a savepoint inside it does."""
    bread = stock.Product("1")
    with Session(stock.database) as s:

        def there() -> None:
            with s.use():
                bread.stock.incr()
                raise Planned

        with pytest.raises(Planned):
            elsewhere(there)
        bread.stock.incr()
        assert [6, 7] == s.commit()


@EACH_OTHER
def test_whoever_opened_it_is_refused_meanwhile(stock: Stock, elsewhere: Callable[..., Any]) -> None:
    """Its calls, its commit, and a use() of its own; afterwards it goes on."""
    bread = stock.Product("1")
    with Session(stock.database) as s:
        if elsewhere is in_task:
            task_and_its_parent(s, bread)
        else:
            meet(s, lambda: refused_here(s, bread), elsewhere)
        bread.stock.incr()
        assert [6] == s.commit()


def refused_here(s: Session, bread: Any) -> None:
    """Whatever this thread does with the session is refused."""
    for call in (bread.stock.get, bread.stock.incr, s.commit, s.plan, s.rollback, lambda: s.pending):
        with pytest.raises(SessionError, match="is in use by one"):
            call()
    with pytest.raises(SessionError, match=r"The session is in use.*Way out: s.use\(\) when that one is done"):
        s.use().__enter__()


def meet(s: Session, call: Callable[[], Any], elsewhere: Callable[..., Any]) -> None:
    """Use *s* elsewhere, and meanwhile call *call* here."""
    inside, done = threading.Event(), threading.Event()

    def there() -> None:
        with s.use():
            inside.set()
            assert done.wait(20)

    thread = threading.Thread(target=lambda: elsewhere(there))
    thread.start()
    try:
        assert inside.wait(20)
        call()
    finally:
        done.set()
        thread.join()


def task_and_its_parent(s: Session, bread: Any) -> None:
    """The same of a task, and another one beside it."""

    async def user(inside: asyncio.Event, done: asyncio.Event) -> None:
        with s.use():
            inside.set()
            await done.wait()

    async def main() -> None:
        inside, done = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(user(inside, done))
        await inside.wait()
        refused_here(s, bread)
        done.set()
        await task
        with s.use():
            bread.stock.get()

    asyncio.run(main())


def test_it_is_refused_in_the_middle_of_a_call(stock: Stock) -> None:
    """What is being said when another comes is said to its end by one alone."""
    with Session(stock.database) as s:

        def there() -> None:
            with pytest.raises(SessionError, match="is in use"):
                s.use().__enter__()

        with s._door:
            in_thread(there)
            with s._door:
                pass
            in_thread(there)
        stock.Product("1").stock.incr()
        assert [6] == s.commit()


def test_two_threads_one_after_the_other(server: Backend, stock: Stock) -> None:
    """The way out of the refusal: each when the other is done."""
    bread = stock.Product("1")
    with stock.database.begin() as s:

        def there() -> None:
            with s.use():
                bread.stock.incr()

        for _ in range(3):
            in_thread(there)
    assert b"8" == server.client().get(KEY)


@pytest.mark.usefixtures("_bounded")
def test_many_at_once(server: Backend, stock: Stock) -> None:
    """Each is let in alone or refused; what was said by those let in is exactly what is committed; nothing hangs."""
    bread = stock.Product("1")
    let_in: list[int] = []
    start = threading.Barrier(5)

    def there(s: Session) -> None:
        start.wait()
        for _ in range(300):
            try:
                with s.use():
                    bread.stock.incr()
                    let_in.append(1)
            except SessionError as error:
                if "in use" not in str(error):
                    raise

    with stock.database.begin() as s, ThreadPoolExecutor(4) as pool:
        threads = [pool.submit(there, s) for _ in range(4)]
        start.wait()
        for _ in range(300):
            try:
                bread.stock.incr()
                let_in.append(1)
            except SessionError as error:
                if "in use" not in str(error):
                    raise
        for thread in threads:
            thread.result()
        assert len(let_in) == len(s.pending)
    assert str(5 + len(let_in)).encode() == server.client().get(KEY)


def test_wherever_it_is_interrupted_the_session_is_given_back(stock: Stock) -> None:
    """On entering, before the body and on leaving: whoever opened it goes on at once."""
    bread, places = stock.Product("1"), []

    def there(s: Session, at: int) -> None:
        with interrupted(KeyboardInterrupt(), at, use.__file__, context.__file__) as interruption:
            try:
                with s.use():
                    bread.visits.get()
            except KeyboardInterrupt as late:
                if interruption.place.split()[1] not in ("Use.__exit__", "Use._give_back", "end_use"):
                    assert not s._is_used
                # On leaving it is given back when nothing holds the block any more.
                late.__traceback__ = None
        places.append(interruption.place)

    for at in itertools.count(1):
        with Session(stock.database) as s:
            in_thread(functools.partial(there, s, at))
            assert at + 4 == int(bread.stock.get())
            bread.stock.incr()
            assert [at + 5] == s.commit()
        if places[-1] is None:
            break
    assert {"Use.__enter__", "Use.__exit__"} <= {place.split()[1] for place in places if place}


# Left meanwhile.


@pytest.mark.parametrize("clean", [True, False], ids=["cleanly", "by an exception"])
def test_it_is_left_while_it_is_used(server: Backend, stock: Stock, clean: bool) -> None:
    """Nothing is sent, both are told, and what is said there from then on is refused, not sent."""
    on, bread, before = stock.database, stock.Product("1"), data(server)
    session, told = on.begin(), []
    session.__enter__()
    bread.stock.incr()
    inside, left, done = threading.Event(), threading.Event(), threading.Event()

    def there() -> None:
        with (
            pytest.raises(SessionError, match=r"left meanwhile.* Way out: a session of its own") as last,
            session.use(),
        ):
            bread.stock.incr()
            inside.set()
            assert left.wait(20)
            for call in (bread.stock.incr, bread.stock.get, stock.Product, lambda: on.session):
                with pytest.raises(SessionError, match="left meanwhile") as caught:
                    call()
                told.append(caught.value)
        told.append(last.value)
        with on.begin(), pytest.raises(NotCommitted):  # the way out: one of its own
            bread.visits.set(1).result
        done.set()

    thread = threading.Thread(target=there)
    thread.start()
    assert inside.wait(20)
    if clean:
        with pytest.raises(SessionError, match=r"was left while it was in use.*Way out: wait for that one before"):
            session.__exit__(None, None, None)
    else:
        error = Planned()
        with pytest.warns(RuntimeWarning, match="while it was in use"):
            assert not session.__exit__(type(error), error, None)
        assert 1 == len(error.__notes__)
    left.set()
    thread.join()
    assert done.is_set()
    assert 5 == len(told)
    assert before == {key: value for key, value in data(server).items() if key != b":product:1:visits"}
    on.run(lambda s: bread.stock.incr())
    assert b"6" == server.client().get(KEY)


def test_what_was_said_there_before_it_is_left_is_committed(server: Backend, stock: Stock) -> None:
    """Once its block is left it is the session's."""
    with stock.database.begin() as s:

        def there() -> Any:
            with s.use():
                return stock.Product(name="cake")

        cake = in_thread(there)
    assert "cake" == cake.name.hget()


# Where it cannot be.


def test_one_that_is_not_open_cannot_be_used(stock: Stock) -> None:
    """Before it is entered, and after it was left; the ways out that are named are open."""
    session = Session(stock.database)
    with pytest.raises(SessionError, match=r"never opened.*Way out: with Session\(db\) as s:"), session.use():
        pass
    with session:
        pass
    with pytest.raises(SessionError, match=r"was left.*Way out: a new Session\(db\)"), session.use():
        pass


def test_inside_another_session_of_the_database_it_is_refused(stock: Stock) -> None:
    """Models could not know which is meant; one after the other is."""
    on = stock.database
    with on.begin() as s:

        def there() -> None:
            with on.begin(), pytest.raises(SessionError, match="Way out: leave its block first; or use that one"):
                s.use().__enter__()
            with s.use():
                stock.Product("1").stock.incr()

        in_thread(there)
        assert 1 == len(s.pending)


def test_in_a_child_process_it_is_refused(real: Real) -> None:
    """Its connection is the parent's; one of its own is not."""
    stock = stocked(real)
    with stock.database.begin() as s:

        def there() -> Any:
            with pytest.raises(SessionError, match=r"of another process.*of its own here"):
                s.use().__enter__()
            with stock.database.begin():
                return stock.Product("1").stock.get()

        assert "5" == in_child(there)


def test_after_its_commit_it_takes_no_part(server: Backend, stock: Stock) -> None:
    """Not by use() either; a session of its own does."""
    bread = stock.Product("1")

    def call() -> None:
        with pytest.raises(SessionError, match=r"takes no part.*of its own"):
            s.use().__enter__()
        with stock.database.begin():
            bread.stock.incr()

    with stock.database.begin() as s:
        bread.stock.incr()
        s.on_commit(call)
    assert b"7" == server.client().get(KEY)


def test_a_pipeline_that_all_threads_share_needs_none(embedded: Any) -> None:
    """It is refused, so that nobody thinks to be alone; without it, it works."""
    on = PipelineDatabase.embedded(embedded.server)
    stock = Stock(on)
    with on, on.pipeline(share_in_threads=True) as pipeline:
        with pytest.raises(SessionError, match=r"Way out: leave use\(\) out"):
            pipeline.use().__enter__()
        in_thread(lambda: stock.Product(name="bread"))
        assert 1 == len(pipeline.execute())


def test_a_block_is_entered_once_and_told_of_where_it_was_not(stock: Stock) -> None:
    """Another one is taken."""
    with Session(stock.database) as s:
        block = s.use()
        with block, s.use():
            pass
        with pytest.raises(SessionError, match=r"Way out: take another, s.use\(\)"):
            block.__enter__()
        with pytest.warns(ResourceWarning, match=r"Way out: with s.use\(\):"):
            s.use()
        gc.collect()


def test_a_new_object_of_a_session_is_used_there(server: Backend, stock: Stock) -> None:
    """Elsewhere it is refused; each way out of the message is open: use(), and after the commit."""
    with stock.database.begin() as s:
        cake = stock.Product(name="cake")

        def there() -> None:
            with pytest.raises(SessionError, match=r"Way out: use it there, with s.use\(\) from here; or after"):
                cake.stock.incr()
            with s.use():
                cake.stock.incr()

        in_thread(there)
    assert 2 == in_thread(cake.stock.incr)


def test_a_context_that_was_copied_inside_is_free_afterwards(stock: Stock) -> None:
    """When block and session are over it knows nothing of them, and keeps neither alive."""
    database = stock.database
    session = Session(database)
    with session, session.use():
        copied = contextvars.copy_context()
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert None is gone()
    assert None is in_thread(lambda: copied.run(lambda: database.session))
    assert 1 == in_thread(lambda: copied.run(lambda: stock.Product(1).visits.incr()))
