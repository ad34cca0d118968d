"""What the asyncio face costs: ``ours`` is awaited, ``hand`` the blocking face with the same work.

In ``aio-gather`` 100 reads are started together, time and again; there ``hand`` does so with the client of
``redis.asyncio``, and ``best`` asks all in one pipeline of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import redis.asyncio

from tests.bench import people, queries
from tests.bench.lines import Contestant, Line, Stage
from uowredis import InstanceHashField, StringField, aio

#: What the asyncio face may need, of what the blocking one does; and of what ``redis.asyncio`` does, reads together.
MOST, MOST_TOGETHER = 1.2, 0.6

#: How many reads are started together.
TOGETHER = 100

Work = Callable[[Stage, Any, Any], Coroutine[Any, Any, object]]


def _model(on: aio.RedisDatabase) -> Any:
    class Person(aio.RedisModel):
        database = on
        name = InstanceHashField()
        city = InstanceHashField(indexable=True)
        birth_year = InstanceHashField(indexable=True)
        notes = StringField()
        visits = StringField()

    return Person


def _awaited(work: Work, *, there: bool = True) -> Contestant:
    """Return what awaits *work* of stage, model, and one person where they are *there*, on a loop of its own."""

    def ready(stage: Stage) -> Callable[[], object]:
        loop = asyncio.new_event_loop()
        model = _model(aio.RedisDatabase.from_url(stage.url))
        one = None
        if there:
            stage.people()
            one = loop.run_until_complete(model.get("1"))
            loop.run_until_complete(one.notes.get())
        return lambda: loop.run_until_complete(work(stage, model, one))

    return ready


def _blocking(work: Callable[[Stage, Any], object]) -> Contestant:
    """Return what does *work* of the stage and one person who is there."""

    def ready(stage: Stage) -> Callable[[], object]:
        stage.people()
        one = people.Person.get("1")
        one.notes.get()
        return lambda: work(stage, one)

    return ready


def _each(
    awaited: Callable[[Any, int], Awaitable[object]], blocking: Callable[[Any, int], object], count: int = 2_000
) -> Line:
    async def work(stage: Stage, _: Any, one: Any) -> None:
        for at in range(stage.count):
            await awaited(one, at)

    return Line(
        _awaited(work),
        _blocking(lambda stage, one: [blocking(one, at) for at in range(stage.count)]),
        None,
        count,
        MOST,
    )


async def _create(stage: Stage, model: Any, _: Any) -> None:
    async with aio.Session(model.database) as s:
        for name, city, birth_year, notes in people.rows(stage.count):
            await model.create(name=name, city=city, birth_year=birth_year, notes=notes)
        await s.commit()


async def _ask(stage: Stage, model: Any, _: Any) -> None:
    for city, birth_year in queries.pairs(stage.count):
        found = model.collection(city=city, birth_year=birth_year).sort(by="name", alpha=True)
        await found.values("pk", "name")[: queries.PAGE]


async def _gather(stage: Stage, _: Any, one: Any) -> None:
    for _ in range(stage.count):
        await asyncio.gather(*(one.notes.get() for _ in range(TOGETHER)))


def _by_hand(work: Callable[[Any], Awaitable[object]]) -> Contestant:
    async def works(stage: Stage, *_: Any) -> None:
        async with redis.asyncio.Redis.from_url(stage.url, decode_responses=True) as client:
            for _ in range(stage.count):
                await work(client)

    return _awaited(works)


async def _together(client: Any) -> None:
    await asyncio.gather(*(client.get(":person:1:notes") for _ in range(TOGETHER)))


async def _in_a_pipeline(client: Any) -> None:
    async with client.pipeline(transaction=False) as pipe:
        for _ in range(TOGETHER):
            pipe.get(":person:1:notes")
        await pipe.execute()


LINES: dict[str, Line] = {
    "aio-create": Line(
        _awaited(_create, there=False),
        lambda stage: lambda: people.create(stage.database, people.rows(stage.count)),
        None,
        10_000,
        MOST,
    ),
    "aio-ask": Line(
        _awaited(_ask),
        _blocking(lambda stage, _: [queries.page(*pair) for pair in queries.pairs(stage.count)]),
        None,
        500,
        MOST,
    ),
    "aio-get": _each(lambda one, _: one.notes.get(), lambda one, _: one.notes.get()),
    "aio-set": _each(lambda one, at: one.notes.set(f"n{at}"), lambda one, at: one.notes.set(f"n{at}")),
    "aio-hset": _each(
        lambda one, at: one.city.hset(f"City {at % 50}"), lambda one, at: one.city.hset(f"City {at % 50}"), 1_000
    ),
    "aio-gather": Line(_awaited(_gather), _by_hand(_together), _by_hand(_in_a_pipeline), 40, MOST_TOGETHER),
}
