"""Who may use a pipeline or session: its thread and task, or every thread where it is shared; one call at a time."""

import asyncio
import contextlib
import functools
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contrib.pipelines.models import SHAPES, People
from tests.models import products
from tests.tools.backends import Backend, Embedded, Real
from tests.tools.interruptions import interrupted, points
from tests.tools.wholeness import check_whole, decoded
from uowredis import Session, SessionError
from uowredis.contrib.database import PipelineDatabase

THREADS = 8


@pytest.fixture
def in_turns() -> Iterator[None]:
    """Let threads take turns as often as can be."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def person(people: People) -> Any:
    """Person 1 of three."""
    return people.three()[0]


def together(work: Callable[[int], Any], count: int = THREADS) -> list[Any]:
    """Call ``work(number)`` in *count* threads at once; return what they returned, raise what one raised."""
    found: list[Any] = [None] * count
    failed: list[BaseException] = []
    gate = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            gate.wait(10)
            found[number] = work(number)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failed:
        raise failed[0]
    return found


def elsewhere(work: Callable[[], Any]) -> Any:
    """Return what *work* returns in another thread."""
    return together(lambda _: work(), 1)[0]


def test_a_shared_pipeline_gives_each_call_its_reply(
    server: Backend, people: People, person: Any, in_turns: None
) -> None:
    """All threads say their commands in one pipeline; each Pending holds the reply of its own call."""

    def work(number: int) -> list[tuple[Any, Any]]:
        said: list[tuple[Any, Any]] = []
        for turn in range(25):
            shelf = people.Shelf(label=f"{number}-{turn}", town=f"town {turn}")
            said.append((shelf.town.hget(), f"town {turn}"))
            said.append((shelf.chosen.sadd(number, turn, "x"), len({number, turn}) + 1))
            said.append((shelf.seen.rpush(*range(number + 1)), number + 1))
            said.append((shelf.seen.lrange(0, 0), ["0"]))
            made = people.Person(name=f"{number}-{turn}", city=f"city {number}", hits=turn)
            said.append((made.hits.get(), str(turn)))
            said.append((person.hits.incr(), None))
        return said

    with people.database.pipeline(share_in_threads=True) as pipeline:
        said = [each for of_thread in together(work) for each in of_thread]
        replies = pipeline.execute()
    assert THREADS * 25 * 8 == len(replies)
    expected = [reply for _, reply in said if reply is not None]
    assert expected == [pending.result for pending, reply in said if reply is not None]
    counted = sorted(pending.result for pending, reply in said if reply is None)
    assert list(range(4, 4 + THREADS * 25)) == counted
    assert 25 == len(people.Person.collection(city="city 3"))
    check_whole(without_shelves(server), SHAPES)


def without_shelves(server: Backend) -> Any:
    return {key: held for key, held in server.dump().items() if not key.startswith(b":shelf:")}


def test_a_shared_pipeline_names_each_new_object_once(
    server: Backend, people: People, person: Any, in_turns: None
) -> None:
    """References between new objects of many threads are not mixed up: each is called by a name of its own."""

    def work(number: int) -> list[Any]:
        said = []
        for turn in range(50):
            owner, friend = people.Person(), people.Person(city="Rome")
            owner.name.hset(f"{number}-{turn}")
            said.append((owner, friend, people.Group(owner=owner, members=[owner, friend])))
        return said

    with people.database.pipeline(share_in_threads=True) as pipeline:
        said = [each for of_thread in together(work) for each in of_thread]
        names = [str(command.identity) for command in pipeline.pending if str(command).endswith("created")]
        assert len(set(names)) == len(names)
        pipeline.execute()
    for owner, friend, group in said:
        assert (owner.pk.get(), {owner.pk.get(), friend.pk.get()}) == (group.owner.hget(), group.members.smembers())
    check_whole(server.dump(), SHAPES)


def test_many_threads_execute_a_shared_pipeline(people: People, person: Any, in_turns: None) -> None:
    """execute() answers what is pending, whoever said it; every call gets its reply exactly once."""

    def work(number: int) -> list[Any]:
        with_replies = []
        for turn in range(20):
            with_replies.append(person.hits.incr())
            if turn % 5 == number % 5:
                pipeline.execute()
        return with_replies

    with people.database.pipeline(share_in_threads=True) as pipeline:
        said = [pending for of_thread in together(work) for pending in of_thread]
        pipeline.execute()
    assert list(range(4, 4 + THREADS * 20)) == sorted(pending.result for pending in said)
    assert str(3 + THREADS * 20) == person.hits.get()


def test_a_shared_pipeline_is_looked_at_by_many(people: People, person: Any, in_turns: None) -> None:
    """What is answered at once in it, objects looked up and plans, is safe while others say commands."""

    def work(number: int) -> None:
        for turn in range(15):
            if number % 2:
                people.Person(name=f"{number}-{turn}", city="Rome").hits.set(turn)
            else:
                assert people.Person.exists(city="Paris")
                assert "1" == people.Person.get(name="a").pk.get()
                pipeline.plan(symbolic=True)

    with people.database.pipeline(share_in_threads=True) as pipeline:
        together(work)
        pipeline.execute()
    assert THREADS // 2 * 15 == len(people.Person.collection(city="Rome"))


def test_a_shared_pipeline_is_shared_while_it_is_open(people: People, person: Any) -> None:
    """Before and after other threads' commands go their own way at once."""
    assert "3" == elsewhere(person.hits.get)
    with people.database.pipeline(share_in_threads=True) as pipeline:
        assert elsewhere(person.hits.get).waits
        assert elsewhere(lambda: people.Person.collection(city="Lyon")) is not None
        assert ["3", ["3"]] == elsewhere(pipeline.execute)
    assert "3" == elsewhere(person.hits.get)
    assert 4 == elsewhere(person.hits.incr)


def test_what_is_said_too_late_is_refused(people: People, person: Any) -> None:
    """A thread that still holds a pipeline that was left is not given a reply that never comes."""
    with people.database.pipeline(share_in_threads=True) as pipeline:
        pass
    for say in (lambda: pipeline._write(a_write(person)), pipeline.execute, lambda: pipeline.watch("a key")):
        with pytest.raises(SessionError):
            elsewhere(say)


def a_write(person: Any) -> Any:
    """Return the command that a field hands to its session."""
    with Session(person.database, on_pending="discard") as session:
        person.hits.set(9)
        return session.pending[0]


def test_a_shared_pipeline_refuses_others_of_its_database(people: People, person: Any) -> None:
    """While it is open no thread opens another one; one that has its own session already keeps to it."""
    database = people.database
    opened, go_on = threading.Event(), threading.Event()

    def own_session() -> Any:
        with Session(database) as session:
            opened.set()
            go_on.wait(10)
            person.hits.incr()
            return session.commit()

    thread = threading.Thread(target=lambda: found.append(own_session()))
    found: list[Any] = []
    thread.start()
    opened.wait(10)
    with database.pipeline(share_in_threads=True) as pipeline:
        go_on.set()
        thread.join()
        assert [[4]] == found

        def another() -> None:
            with pytest.raises(SessionError), Session(database):
                raise AssertionError("entered")

        elsewhere(another)
        person.hits.get()
        assert ["4"] == pipeline.execute()


def test_others_go_their_own_way(people: People, person: Any) -> None:
    """Of a pipeline that is not shared other threads know nothing: reads and writes are sent at once."""
    with people.database.pipeline() as pipeline:
        person.hits.incr()
        assert ("3", True, "10") == elsewhere(lambda: (person.hits.get(), person.hits.set(10), person.hits.get()))
        assert ["1"] == elsewhere(lambda: list(people.Person.collection(name="a")))
        assert 1 == len(pipeline.pending)
        assert [11] == pipeline.execute()


def test_a_session_for_each_thread(server: Backend, people: People, person: Any, in_turns: None) -> None:
    """Sessions, pipelines, begin(), run() and transaction() of many threads on one database do not touch each other."""
    database = people.database

    def transacted(pipeline: Any) -> None:
        hits = int(person.hits.get())
        pipeline.multi()
        person.hits.set(hits + 1)

    def count(number: int, turn: int) -> None:
        match turn % 4:
            case 0:
                with Session(database, retry_for=30) as session:
                    person.hits.incr()
                    person.tags.sadd(f"{number}-{turn}")
                    session.commit()
            case 1:
                with database.begin(retry_for=30):
                    person.hits.incr()
                    people.Person(name=f"{number}-{turn}", city=f"city {number}")
            case 2:
                database.run(lambda session: person.hits.set(int(person.hits.get()) + 1), retry_for=30)
            case _:
                database.transaction(transacted, person.hits)

    def work(number: int) -> None:
        for turn in range(8):
            count(number, turn)

    together(work)
    assert str(3 + THREADS * 8) == person.hits.get()
    data = decoded(server.dump())
    assert {"x", "y"} | {f"{n}-{t}" for n in range(THREADS) for t in (0, 4)} == data[":person:1:tags"]
    assert [2] * THREADS == [len(data[f":person:city:city {number}"]) for number in range(THREADS)]
    check_whole(server.dump(), SHAPES)


USES: dict[str, Callable[[People, Any], Any]] = {
    "read": lambda people, person: person.hits.get(),
    "write": lambda people, person: person.hits.set(9),
    "constructor": lambda people, person: people.Person(name="z"),
    "deletion": lambda people, person: person.delete(),
    "collection": lambda people, person: list(people.Person.collection()),
    "lookup": lambda people, person: people.Person("1"),
    "exists": lambda people, person: people.Person.exists(name="a"),
}


@pytest.mark.parametrize("opened", ["session", "begin", "pipeline"])
@pytest.mark.parametrize("use", USES)
def test_a_task_or_thread_that_inherits_a_session_is_refused(
    server: Backend, people: People, person: Any, opened: str, use: str
) -> None:
    """Child tasks and to_thread take the context along; the session is not theirs, but they may open their own."""
    before, database = server.dump(), people.database
    opening = {"session": lambda: Session(database), "begin": database.begin, "pipeline": database.pipeline}[opened]

    async def child() -> None:
        with pytest.raises(SessionError):
            USES[use](people, person)
        with Session(database, on_pending="discard"):
            assert "3" == person.hits.get()

    def in_thread() -> None:
        with pytest.raises(SessionError):
            USES[use](people, person)
        with database.pipeline() as own:
            person.hits.get()
            assert ["3"] == own.execute()

    async def parent() -> None:
        with opening() as session:
            await asyncio.create_task(child())
            await asyncio.to_thread(in_thread)
            with pytest.raises(SessionError):
                await asyncio.to_thread(session.commit)
            with pytest.raises(SessionError):
                await asyncio.to_thread(session.watch, "a key")
            assert () == session.pending

    asyncio.run(parent())
    assert before == server.dump()


def test_tasks_of_their_own(people: People, person: Any) -> None:
    """Tasks that each open a pipeline are as separate as threads, also while they take turns."""

    async def task(number: int) -> list[Any]:
        with people.database.pipeline() as pipeline:
            person.queue.rpush(number)
            await asyncio.sleep(0)
            person.hits.incr()
            await asyncio.sleep(0)
            return pipeline.execute()

    async def parent() -> list[Any]:
        return await asyncio.gather(*map(task, range(5)))

    assert [[number + 3, number + 4] for number in range(5)] == asyncio.run(parent())


def test_a_shared_pipeline_is_for_tasks_too(people: People, person: Any) -> None:
    """It is used by child tasks and by to_thread."""

    async def parent() -> list[Any]:
        with people.database.pipeline(share_in_threads=True) as pipeline:

            async def child() -> None:
                person.hits.incr()

            await asyncio.create_task(child())
            await asyncio.to_thread(person.hits.get)
            return await asyncio.to_thread(pipeline.execute)

    assert [4, "4"] == asyncio.run(parent())


def test_a_shared_pipeline_answers_queries_one_at_a_time(server: Backend, in_turns: None) -> None:
    """Whoever asks in whatever thread, by whatever method, gets the answer over what is pending; nobody hangs."""
    on = PipelineDatabase.embedded(server.server) if not server.real else PipelineDatabase.from_url(server.server.url)
    product = products(on)
    counter = product(code=0, hits=100)
    with on, on.pipeline(share_in_threads=True) as pipeline:
        pipeline.watch(counter.code)  # reads are answered at once, by every thread
        pipeline.multi()
        for _ in range(5):
            counter.code.incr()
            counter.hits.incr()

        def ask(number: int) -> list[bool]:
            found = []
            for _ in range(20):
                found.append(product.exists(code=5) if number % 2 else product.exists(hits=105))
                found.append(product.get(code="5").pk.get() == counter.pk.get())
                found.append(not product.exists(code=0))
                found.append(product("1") == counter)
            return found

        assert [[True] * 80] * THREADS == together(ask)
        pipeline.reset()


class Late(BaseException):
    """What a signal handler raises."""


# Between its making and its entering one is interrupted, too.
@pytest.mark.filterwarnings("ignore:A Pipeline was never entered:ResourceWarning")
def test_an_interruption_shuts_nobody_out(server: Backend) -> None:
    """Wherever it comes: once the pipeline is left it is shared no more, and who waited is refused."""
    if isinstance(server, Real):
        on = PipelineDatabase.from_url(server.server.url)
    else:
        assert isinstance(server, Embedded)
        on = PipelineDatabase.embedded(server.server)
    with on:
        bread = products(on)(name="bread", stock=0)

        def work(kept: list[Any]) -> None:
            with on.pipeline(share_in_threads=True) as pipeline:
                kept.append(pipeline)
                bread.visits.incr()
                pipeline.reset()

        count = points(lambda: work([]))
        for at in range(1, count + 1):
            kept: list[Any] = []
            with contextlib.suppress(Late), interrupted(Late(), at):
                work(kept)
            if kept:
                # A lock that is shut would be waited for.
                lock = kept[0]._lock
                assert elsewhere(functools.partial(lock.acquire, blocking=False))
            kept.clear()
            gc.collect(0)
            assert at == bread.stock.incr()
            with Session(on):
                pass  # what is left of the interrupted one in the context goes with this
        assert count == at
