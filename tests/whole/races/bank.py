"""A bank, as each of the processes has it: accounts whose class by balance is indexed, and random transfers."""

import random
from typing import Any

import attrs
import redis

from tests.whole.races.workers import together
from uowredis import InstanceHashField, PKField, RedisDatabase, RedisModel, Session, StringField

ACCOUNTS = 100
#: What each account has at first.
BALANCE = 100
TOTAL = ACCOUNTS * BALANCE
CLASSES = ("poor", "middle", "rich")


def class_of(balance: int) -> str:
    """Return the class of an account that holds so much."""
    return CLASSES[(balance >= 60) + (balance >= 140)]


@attrs.define
class Done:
    """What one process has done.

    Attributes:
        applied: transfers whose commit was applied, counted by what is called after it.
        calls: how often their functions were called.
        most_calls: of one transfer.
        attempts: transactions that were tried.
        most_attempts: by one transfer.
        moved: what each account has gained by them.
    """

    applied: int = 0
    calls: int = 0
    most_calls: int = 0
    attempts: int = 0
    most_attempts: int = 0
    moved: dict[str, int] = attrs.field(factory=dict)


class Bank:
    """The accounts on one database."""

    def __init__(self, on: RedisDatabase) -> None:
        class Account(RedisModel):
            database = on
            owner = PKField()
            wealth = InstanceHashField(indexable=True)
            balance = StringField()

        self.database, self.Account = on, Account

    def open_accounts(self) -> None:
        """Store the accounts."""
        with self.database.begin():
            for number in range(ACCOUNTS):
                self.Account(owner=number, balance=BALANCE, wealth=class_of(BALANCE))

    def account(self, owner: str) -> Any:
        """Return an account that is known to be there."""
        return self.Account._handle(owner, tested=True)

    def transfer(self, source: str, target: str, amount: int) -> bool:
        """Move *amount*, as far as it is there: read both, decide, write both; return whether there was any."""
        giver, taker = self.account(source), self.account(target)
        has, gets = int(giver.balance.get()), int(taker.balance.get())
        if has < amount:
            return False
        for account, balance in ((giver, has - amount), (taker, gets + amount)):
            account.balance.set(balance)
            account.wealth.hset(class_of(balance))
        return True


def work(url: str, worker: int, times: int) -> Done:
    """Make random transfers with `db.run`; return what became of them."""
    bank, done, chance = Bank(RedisDatabase.from_url(url)), Done(), random.Random(worker)
    together(url)
    for _ in range(times):
        source, target = (str(number) for number in chance.sample(range(ACCOUNTS), 2))
        make(bank, done, source, target, chance.randint(1, 60))
    return done


def make(bank: Bank, done: Done, source: str, target: str, amount: int) -> None:
    """Make one transfer; count what it took."""
    sessions: list[Session] = []

    def move(s: Session) -> None:
        sessions.append(s)
        given = amount if bank.transfer(source, target, amount) else 0

        def count() -> None:
            done.applied += 1
            done.moved[source] = done.moved.get(source, 0) - given
            done.moved[target] = done.moved.get(target, 0) + given

        s.on_commit(count)

    bank.database.run(move, attempts=100)
    attempts = sum(s.tried for s in sessions)
    done.calls += len(sessions)
    done.most_calls = max(done.most_calls, len(sessions))
    done.attempts += attempts
    done.most_attempts = max(done.most_attempts, attempts)


def sums(url: str, until: str) -> list[int]:
    """Read all balances, each time in one MULTI, until a key is there; return their sums."""
    found: list[int] = []
    with redis.Redis.from_url(url, decode_responses=True) as client:
        keys = [f":account:{number}:balance" for number in range(ACCOUNTS)]
        while not client.exists(until):
            pipeline = client.pipeline(transaction=True)
            pipeline.mget(keys)
            found.append(sum(map(int, pipeline.execute()[0])))
    return found
