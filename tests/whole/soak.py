"""Eight processes, random sessions on three related models, faults all the while: ``python -m tests.whole.soak``.

    python -m tests.whole.soak [--minutes N] [--processes N] [--seed N]

The server (AOF, always) is reached by way of a `Tap` that cuts and silences connections at random bytes, and is killed
and started again now and then. Each commit also adds its number to a list of its process and counts in a tally, so that
what each process was told can be held against what is there: each commit that was told to be applied once, no other at
all, none by half. The truth is read by plain redis-py; a check must find nothing either. The exit status is 1 where a
promise did not hold.
"""

import argparse
import contextlib
import multiprocessing
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import attrs
import redis

from tests.tools.backends import Real
from tests.tools.servers import RealServer
from tests.tools.tap import Fault, Tap
from tests.tools.wholeness import check_whole
from uowredis import (
    Conflict,
    DoesNotExist,
    HashField,
    InstanceHashField,
    ListField,
    OutcomeUnknown,
    PKField,
    RedisDatabase,
    RedisModel,
    Rejected,
    Session,
    SetField,
    StringField,
    check,
)
from uowredis.contrib.related import CASCADE, FKInstanceHashField, M2MSetField, RelatedModel

ACCOUNTS, BALANCE = 12, 1_000

SHAPES = {
    "customer": {"email": None, "city": None},
    "order": {"customer": "customer", "tags": None},
    "basket": {"orders": "order"},
    "account": {"balance": None},
}


class Shop:
    """The models on a database."""

    def __init__(self, on: RedisDatabase) -> None:
        class Customer(RelatedModel):
            database = on
            email = InstanceHashField(unique=True)
            city = InstanceHashField(indexable=True)
            visits = StringField()

        class Order(RelatedModel):
            database = on
            customer = FKInstanceHashField("Customer", related_name="orders", on_delete=CASCADE, check=True)
            tags = SetField(indexable=True)

        class Basket(RelatedModel):
            database = on
            orders = M2MSetField("Order", related_name="baskets", check=True)

        class Account(RedisModel):
            database = on
            number = PKField()
            balance = StringField(indexable=True)

        class Journal(RedisModel):
            database = on
            worker = PKField()
            done = ListField()

        class Tally(RedisModel):
            database = on
            name = PKField()
            counts = HashField()

        self.database = on
        self.Customer, self.Order, self.Basket = Customer, Order, Basket
        self.Account, self.Journal, self.Tally = Account, Journal, Tally

    def fill(self, processes: int) -> None:
        """Store what is there before."""
        for number in range(ACCOUNTS):
            self.Account(number=number, balance=BALANCE)
        for worker in range(processes):
            self.Journal(worker=worker)
        self.Tally(name="all")


@attrs.define
class Told:
    """What one process was told.

    Attributes:
        done: the numbers of the commits that were applied, in their order.
        outcomes: how often what was told.
        kinds: how often each kind of commit was applied.
        moved: what was added to each account.
        customers: those that were created, by primary key, with their e-mail.
        orders: those that were created, with their customer.
        deleted: the customers that were deleted.
        visits: how often each customer was visited.
    """

    done: list[int] = attrs.field(factory=list)
    outcomes: Counter[str] = attrs.field(factory=Counter)
    kinds: Counter[str] = attrs.field(factory=Counter)
    moved: Counter[str] = attrs.field(factory=Counter)
    customers: dict[str, str] = attrs.field(factory=dict)
    orders: dict[str, str] = attrs.field(factory=dict)
    deleted: list[str] = attrs.field(factory=list)
    visits: Counter[str] = attrs.field(factory=Counter)


class Worker:
    """One process: says random sessions until the time is over, and keeps what it was told."""

    def __init__(self, url: str, worker: int, seed: int) -> None:
        self.shop = Shop(RedisDatabase.from_url(url, socket_timeout=0.5, settle_for=60))
        self.worker, self.dice, self.told = worker, random.Random(f"{seed} {worker}"), Told()
        self.number = 0

    def work(self, until: float) -> Told:
        """Say one session after the other."""
        kinds = (self.create, self.order, self.order, self.transfer, self.transfer, self.visit, self.delete, self.fill)
        while time.time() < until:
            self.number += 1
            kind = self.dice.choice(kinds)
            self.told.outcomes[self.once(kind)] += 1
        return self.told

    def once(self, kind: Any) -> str:
        """Commit one session of a *kind*; return what was told."""
        note: list[Any] = []

        def say(session: Session) -> None:
            note.clear()
            note.append(kind(session))
            self.shop.Journal._handle(f"{self.worker}", tested=True).done.rpush(self.number)
            self.shop.Tally._handle("all", tested=True).counts.hincrby(kind.__name__, 1)

        try:
            self.shop.database.run(say, attempts=50)
        except OutcomeUnknown as unknown:
            became = self.shop.database.settle(unknown.token)
            if became == "applied":
                # Its new objects have no primary keys here.
                raise AssertionError("unknown, though the server could be reached") from unknown
            return "unknown while reachable"
        except (Conflict, Rejected, DoesNotExist) as error:
            return type(error).__name__
        self.told.done.append(self.number)
        self.told.kinds[kind.__name__] += 1
        for keep in note:
            keep()
        return "applied"

    def a_customer(self) -> Any:
        known = [*self.told.customers]
        if known and self.dice.random() < 0.5:
            return self.shop.Customer._handle(self.dice.choice(known), tested=True)
        return self.shop.Customer._handle(f"{self.dice.randrange(1, 200)}", tested=True)

    def create(self, session: Session) -> Any:
        email = f"{self.worker}.{self.number}@example.org"
        one = self.shop.Customer(email=email, city=self.dice.choice(["Bern", "Rome"]))
        return lambda: self.told.customers.update({one.pk.get(): email})

    def order(self, session: Session) -> Any:
        customer = self.a_customer()
        one = self.shop.Order(customer=customer, tags=self.dice.sample("abc", 2))
        if self.dice.random() < 0.3:
            customer.city.hset("Oslo")
        return lambda: self.told.orders.update({one.pk.get(): customer.pk.get()})

    def fill(self, session: Session) -> Any:
        orders = [self.shop.Order(customer=self.a_customer(), tags=["d"])]
        self.shop.Basket(orders=orders)
        customers = [order.customer.get() for order in orders]
        return lambda: self.told.orders.update(
            {order.pk.get(): customer for order, customer in zip(orders, customers, strict=True)}
        )

    def transfer(self, session: Session) -> Any:
        giver, taker = self.dice.sample(range(ACCOUNTS), 2)
        amount = self.dice.randrange(1, 50)
        accounts = [self.shop.Account._handle(f"{number}", tested=True) for number in (giver, taker)]
        balances = [int(account.balance.get()) for account in accounts]
        accounts[0].balance.set(balances[0] - amount)
        accounts[1].balance.incr(amount)
        return lambda: self.told.moved.update({f"{giver}": -amount, f"{taker}": amount})

    def visit(self, session: Session) -> Any:
        customer = self.a_customer()
        customer.visits.incr()
        return lambda: self.told.visits.update([customer.pk.get()])

    def delete(self, session: Session) -> Any:
        customer = self.a_customer()
        pk = customer.pk.get()
        customer.delete()
        return lambda: self.told.deleted.append(pk)


def _work(url: str, worker: int, seed: int, until: float) -> Told:
    return Worker(url, worker, seed).work(until)


@attrs.define
class Faults:
    """What happens to connections and the server, until it is ended.

    Attributes:
        happened: how often what was armed.
    """

    server: RealServer
    tap: Tap
    seed: int
    happened: Counter[str] = attrs.field(factory=Counter)
    _over: threading.Event = attrs.field(factory=threading.Event)

    @contextlib.contextmanager
    def all_the_while(self, kill_every: float) -> Iterator[None]:
        """Let faults happen inside the block."""
        thread = threading.Thread(target=self._go_on, args=(kill_every,))
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _go_on(self, kill_every: float) -> None:
        dice, killed = random.Random(self.seed), time.monotonic()
        while not self._over.wait(dice.uniform(0, 0.1)):
            if time.monotonic() - killed > kill_every:
                self.tap.arm()
                self.server.kill()
                self._over.wait(dice.uniform(0, 0.2))
                self.server.revive()
                killed = time.monotonic()
                self.happened["killed"] += 1
                continue
            faults: list[Fault] = []
            for _ in range(dice.randrange(1, 4)):
                towards = dice.choice(("server", "client"))
                how = "cut" if dice.random() < 0.9 else "hold" if towards == "server" else "swallow"
                faults.append(Fault(towards, dice.randrange(1_200 if towards == "server" else 200), how))
                self.happened[how] += 1
            self.tap.arm(faults)
            if dice.random() < 0.2:
                # What was held back arrives.
                self.tap.release()
        self.tap.arm()
        self.tap.release()


def soak(*, minutes: float, processes: int, seed: int, kill_every: float = 10.0) -> tuple[list[str], str]:
    """Return what did not hold, and the numbers."""
    with RealServer.start("--appendonly", "yes", "--appendfsync", "always") as server, Tap(server) as tap:
        with RedisDatabase.from_url(server.url) as direct:
            Shop(direct).fill(processes)
        faults = Faults(server, tap, seed)
        until = time.time() + 60 * minutes
        with (
            multiprocessing.get_context("spawn").Pool(processes) as pool,
            faults.all_the_while(kill_every),
        ):
            arguments = [(tap.url, worker, seed, until) for worker in range(processes)]
            told = pool.starmap(_work, arguments)
        outcomes: Counter[str] = sum((each.outcomes for each in told), Counter())
        with server.client(decode_responses=True) as client:
            findings = [*wrong(client, told)]
        with RedisDatabase.from_url(server.url) as direct:
            Shop(direct)
            findings += [f"{finding}" for finding in check(*direct.models) if not finding.is_note]
        with server.client(decode_responses=True) as client:
            tokens = sum(1 for _ in client.scan_iter("*:__commit__:*", count=1_000))
        real = Real(server)
        try:
            check_whole({key: value for key, value in real.dump().items() if not _is_apart(key)}, SHAPES)
        except AssertionError as error:
            findings.append(f"{error!s:.2000}")
        real.close()
    if outcomes["unknown while reachable"]:
        findings.append("unknown while the server could be reached")
    return findings, f"told: {dict(outcomes)}\nfaults armed: {dict(faults.happened)}\ntokens left: {tokens}"


def _is_apart(key: bytes) -> bool:
    return key.startswith((b":journal:", b":tally:"))


def wrong(client: "redis.Redis[str]", told: list[Told]) -> Iterator[str]:
    """Yield what is not as the processes were told."""
    kinds: Counter[str] = sum((each.kinds for each in told), Counter())
    moved: Counter[str] = Counter()
    visits: Counter[str] = Counter()
    for worker, each in enumerate(told):
        done = [int(number) for number in client.lrange(f":journal:{worker}:done", 0, -1)]
        if done != each.done:
            twice = [number for number, times in Counter(done).items() if times > 1]
            yield (
                f"process {worker}: missing {sorted(set(each.done) - set(done))}, there though not told "
                f"{sorted(set(done) - set(each.done))}, twice {twice}"
            )
        for account, amount in each.moved.items():
            moved[account] += amount
        visits += each.visits
    tally = {kind: int(count) for kind, count in client.hgetall(":tally:all:counts").items()}
    if tally != dict(kinds):
        yield f"the tally says {tally}, told were {dict(kinds)}"
    for number in range(ACCOUNTS):
        balance = client.get(f":account:{number}:balance")
        if balance != f"{BALANCE + moved[f'{number}']}":
            yield f"account {number} holds {balance}, not {BALANCE + moved[f'{number}']}"
    deleted = [pk for each in told for pk in each.deleted]
    if len(set(deleted)) != len(deleted):
        yield f"deleted twice: {[pk for pk, times in Counter(deleted).items() if times > 1]}"
    customers = {pk: email for each in told for pk, email in each.customers.items() if pk not in deleted}
    found = {pk: client.hget(f":customer:{pk}:hash", "email") for pk in client.smembers(":customer:collection")}
    if found != customers:
        yield f"customers differ: {sorted(found.items() ^ customers.items())}"
    orders = {pk: customer for each in told for pk, customer in each.orders.items() if customer not in deleted}
    there = {pk: client.hget(f":order:{pk}:hash", "customer") for pk in client.smembers(":order:collection")}
    if there != orders:
        yield f"orders differ: {sorted(there.items() ^ orders.items())}"
    counted = {pk: client.get(f":customer:{pk}:visits") for pk in customers}
    expected = {pk: f"{visits[pk]}" if visits[pk] else None for pk in customers}
    if counted != expected:
        yield f"visits differ: {counted.items() ^ expected.items()}"


def main() -> int:
    """Run it; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    findings, numbers = soak(minutes=given.minutes, processes=given.processes, seed=given.seed)
    print(numbers)
    print(f"violations: {len(findings)}", *findings, sep="\n")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
