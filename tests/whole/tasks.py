"""Very many tasks with very many sessions on one loop and few connections: ``python -m tests.whole.tasks``.

Each session moves an amount between two of so many accounts as there are tasks, read under watch; their kind, by what
they hold, is indexed. In the end each account holds exactly what was applied, the index is exact, nothing is held.
``--cancelled 0.1`` cancels a part of the tasks' sessions at some time; what became of those is asked by their token.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import resource
import sys
import time
from typing import Any

import attrs
import redis

from tests.tools import servers
from uowredis import InstanceHashField, StringField, aio
from uowredis.session import context

#: What each account holds at first.
STOCK = 100
KINDS = ("scarce", "enough", "plenty")

#: Seconds after which a session is cancelled that is to be, at most.
SOON = 0.05


def kind_of(stock: int) -> str:
    """Return the kind of an account that holds so much."""
    return KINDS[(stock >= 60) + (stock >= 140)]


@attrs.define
class Numbers:
    """What was done, and what it took.

    Attributes:
        applied: sessions whose commit was applied.
        cancelled: sessions that were cancelled; "applied" counts those of them that were.
        calls: how often functions were called.
        connections: how many there were at most, the server says.
        seconds: of the clock.
        grown: kilobytes of memory that the peak grew by.
    """

    applied: int = 0
    cancelled: int = 0
    calls: int = 0
    connections: int = 0
    seconds: float = 0.0
    grown: int = 0
    expected: dict[str, int] = attrs.field(factory=dict, repr=False)


@attrs.define
class Bank:
    """The accounts on one database, and what must be in them."""

    database: aio.RedisDatabase
    accounts: int
    numbers: Numbers = attrs.field(factory=Numbers)
    account: Any = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        on = self.database

        class Account(aio.RedisModel):
            database = on
            stock = StringField(type=int)
            kind = InstanceHashField(indexable=True)

        self.account = Account

    async def fill(self) -> None:
        """Store the accounts."""
        async with self.database.begin():
            for _ in range(self.accounts):
                await self.account.create(stock=STOCK, kind=kind_of(STOCK))
        self.numbers.expected = {str(number + 1): STOCK for number in range(self.accounts)}

    async def move(self, chance: random.Random, cancelled: float) -> None:
        """Move something once; where it is cancelled, find out what became of it."""
        source, target = (str(number) for number in chance.sample(range(1, self.accounts + 1), 2))
        amount, sessions = chance.randint(1, 60), []
        moved = 0

        async def decide(s: aio.Session) -> None:
            nonlocal moved
            sessions.append(s)
            giver, taker = (self.account._handle(pk, tested=True) for pk in (source, target))
            has, gets = await giver.stock.get(), await taker.stock.get()
            moved = min(has, amount)
            for account, stock in ((giver, has - moved), (taker, gets + moved)):
                account.stock.set(stock)
                account.kind.hset(kind_of(stock))

        bound = chance.random() * SOON if chance.random() < cancelled else None
        try:
            async with asyncio.timeout(bound):
                await self.database.run(decide, retry_for=600)
        except TimeoutError:
            self.numbers.cancelled += 1
            if not await self._was_applied(sessions):
                return
        finally:
            self.numbers.calls += len(sessions)
        self.numbers.applied += 1
        self.numbers.expected[source] -= moved
        self.numbers.expected[target] += moved

    async def _was_applied(self, sessions: list[aio.Session]) -> bool:
        last = sessions[-1] if sessions else None
        if last is None or last.token is None:
            return last is not None and last.outcome == "applied"
        return await self.database.settle(last.token) == "applied"

    async def work(self, tasks: int, sessions: int, cancelled: float) -> None:
        """Let each of *tasks* have *sessions*, one after the other."""

        async def one(number: int) -> None:
            chance = random.Random(number)
            for _ in range(sessions):
                await self.move(chance, cancelled)

        async with asyncio.TaskGroup() as group:
            for number in range(tasks):
                group.create_task(one(number))

    def check(self, client: redis.Redis) -> None:
        """Check what is there against what was told, by plain redis-py."""
        found = {pk: int(client.get(f":account:{pk}:stock") or 0) for pk in self.numbers.expected}
        assert found == self.numbers.expected
        assert sum(found.values()) == STOCK * self.accounts
        kinds = {kind: {pk for pk, stock in found.items() if kind_of(stock) == kind} for kind in KINDS}
        assert kinds == {kind: client.smembers(f":account:kind:{kind}") for kind in KINDS}
        assert client.keys("*__guard__*") == []


def memory() -> int:
    """Return the peak memory of this process, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def run(
    url: str, client: redis.Redis, tasks: int, sessions: int, connections: int, cancelled: float = 0.0
) -> Numbers:
    """Do all of it; return the numbers.

    Raises:
        AssertionError: where something was lost, doubled, or is left behind.
    """
    database = aio.RedisDatabase.from_url(url, max_connections=connections, timeout=600)
    bank = Bank(database, max(tasks, 2))
    await bank.fill()
    before, begun = memory(), time.monotonic()
    others = len(client.client_list())
    await bank.work(tasks, sessions, cancelled)
    numbers = bank.numbers
    numbers.seconds, numbers.grown = time.monotonic() - begun, memory() - before
    numbers.connections = len(client.client_list()) - others + 1
    bank.check(client)
    if not cancelled:
        assert numbers.applied == tasks * sessions
    executor: Any = database._executor
    assert [len(each.turns) for each in executor.pool.turns._by_loop.values()] == [0]
    assert executor._together._joining == {}
    assert numbers.connections <= connections
    await database.close()
    await asyncio.sleep(0)
    gc.collect()
    assert [each for each in context._everywhere.values() if each.database is database] == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return numbers


def main() -> int:
    """Run it on a server of its own, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m tests.whole.tasks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=1_000)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--cancelled", type=float, default=0.0, help="the part of sessions that is cancelled")
    given = parser.parse_args()
    with servers.RealServer.start() as server, server.client(decode_responses=True) as client:
        numbers = asyncio.run(run(server.url, client, given.tasks, given.sessions, given.connections, given.cancelled))
    print(
        f"{given.tasks:,} tasks x {given.sessions} sessions, {given.connections} connections: "
        f"{numbers.applied:,} applied, {numbers.cancelled:,} cancelled, {numbers.calls:,} calls, "
        f"{numbers.connections} connections at most, {numbers.seconds:.1f} s, "
        f"{numbers.applied / numbers.seconds:,.0f} a second, {numbers.grown / 1024:.1f} MB more"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
