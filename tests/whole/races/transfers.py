"""Random transfers of stock between products, whose kind, by how much is there, is indexed; each process makes some."""

import random
from typing import Any

import attrs
import redis

from tests.models import products
from tests.whole.races.workers import together
from uowredis import RedisDatabase, Session

PRODUCTS = 100
#: What each product has at first.
STOCK = 100
TOTAL = PRODUCTS * STOCK
KINDS = ("scarce", "enough", "plenty")


def kind_of(stock: int) -> str:
    """Return the kind of a product of which so much is there."""
    return KINDS[(stock >= 60) + (stock >= 140)]


@attrs.define
class Done:
    """What one process has done.

    Attributes:
        applied: transfers whose commit was applied, counted by what is called after it.
        calls: how often their functions were called.
        most_calls: of one transfer.
        attempts: transactions that were tried.
        most_attempts: by one transfer.
        moved: what each product has gained by them.
    """

    applied: int = 0
    calls: int = 0
    most_calls: int = 0
    attempts: int = 0
    most_attempts: int = 0
    moved: dict[str, int] = attrs.field(factory=dict)


class Stock:
    """The products on one database."""

    def __init__(self, on: RedisDatabase) -> None:
        self.database, self.Product = on, products(on)

    def fill(self) -> None:
        """Store the products."""
        with self.database.begin():
            for _ in range(PRODUCTS):
                self.Product(stock=STOCK, kind=kind_of(STOCK))

    def product(self, pk: str) -> Any:
        """Return a product that is known to be there."""
        return self.Product._handle(pk, tested=True)

    def transfer(self, source: str, target: str, amount: int) -> bool:
        """Move *amount*, as far as it is there: read both, decide, write both; return whether there was any."""
        giver, taker = self.product(source), self.product(target)
        has, gets = int(giver.stock.get()), int(taker.stock.get())
        if has < amount:
            return False
        for product, stock in ((giver, has - amount), (taker, gets + amount)):
            product.stock.set(stock)
            product.kind.hset(kind_of(stock))
        return True


def work(url: str, worker: int, times: int) -> Done:
    """Make random transfers with `db.run`; return what became of them."""
    stock, done, chance = Stock(RedisDatabase.from_url(url)), Done(), random.Random(worker)
    together(url)
    for _ in range(times):
        source, target = (str(number) for number in chance.sample(range(1, PRODUCTS + 1), 2))
        make(stock, done, source, target, chance.randint(1, 60))
    return done


def make(stock: Stock, done: Done, source: str, target: str, amount: int) -> None:
    """Make one transfer; count what it took."""
    sessions: list[Session] = []

    def move(s: Session) -> None:
        sessions.append(s)
        given = amount if stock.transfer(source, target, amount) else 0

        def count() -> None:
            done.applied += 1
            done.moved[source] = done.moved.get(source, 0) - given
            done.moved[target] = done.moved.get(target, 0) + given

        s.on_commit(count)

    stock.database.run(move, attempts=100)
    attempts = sum(s._tried for s in sessions)
    done.calls += len(sessions)
    done.most_calls = max(done.most_calls, len(sessions))
    done.attempts += attempts
    done.most_attempts = max(done.most_attempts, attempts)


def sums(url: str, until: str) -> list[int]:
    """Read all stocks, each time in one MULTI, until a key is there; return their sums."""
    found: list[int] = []
    with redis.Redis.from_url(url, decode_responses=True) as client:
        keys = [f":product:{number}:stock" for number in range(1, PRODUCTS + 1)]
        while not client.exists(until):
            pipeline = client.pipeline(transaction=True)
            pipeline.mget(keys)
            found.append(sum(map(int, pipeline.execute()[0])))
    return found
