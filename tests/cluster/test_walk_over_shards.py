"""A walk over sharded and near models, whose every key is compared with what an oracle says, on all nodes.

The oracle is plain Python: dicts of what was said, and the layout as docs/how-it-works.md and docs/cluster.md have it.
It reads all servers by plain clients. What would be in two places must be refused, and leave nothing.
"""

import itertools
import os
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cluster.shards import clients, crc16, declare
from tests.tools.backends import READERS, SHAPES, Backend
from tests.tools.cluster import Cluster
from uowredis import CrossPlace, Session

COUNT = 5
NAMES = ("ann", "bob", "cid")
TAGS = ("a", "b", "c")
Said = tuple[set[int], Callable[[], None]]


@pytest.fixture(params=["embedded", "redis", "cluster"])
def anywhere(request: pytest.FixtureRequest) -> Backend | Cluster:
    """Each kind of server, empty."""
    name = {"embedded": "embedded", "redis": "real", "cluster": "cluster"}[request.param]
    found: Backend | Cluster = request.getfixturevalue(name)
    return found


class Oracle:
    """What was committed, in plain Python; and what is said of it by chance."""

    def __init__(self, firm: SimpleNamespace, chance: random.Random) -> None:
        self.firm = firm
        self.chance = chance
        self.tenants: dict[str, str] = {}
        self.people: dict[str, dict[str, Any]] = {}
        self.orders: dict[str, tuple[str, str]] = {}
        self.visitors: dict[str, int] = {}
        self.codes = 0

    # What is said: the shards that it is known to be of, and what becomes true by the commit.

    def some(self, used: set[str]) -> Said | None:
        """Say something of what is not *used* yet in this session; None where there is nothing."""
        kinds = [self.new_tenant, self.new_person, self.new_person, self.new_order, self.new_visitor, self.change]
        kinds += [self.change, self.refer, self.delete, self.see]
        return self.chance.choice(kinds)(used)

    def pick(self, used: set[str], among: Any) -> str | None:
        """Return one that is not used, and is now."""
        left = [pk for pk in among if pk not in used]
        if not left:
            return None
        pk: str = self.chance.choice(left)
        used.add(pk)
        return pk

    def new_tenant(self, used: set[str]) -> Said:
        name = self.chance.choice(NAMES)
        tenant = self.firm.tenant(name=name)

        def done() -> None:
            self.tenants[tenant.pk.get()] = name

        return set(), done

    def new_person(self, used: set[str]) -> Said | None:
        owner = self.pick(used, self.tenants)
        if owner is None:
            return None
        held = {
            "name": self.chance.choice(NAMES),
            "age": self.chance.choice((None, 3, 7)),
            "tags": set(self.chance.sample(TAGS, self.chance.randrange(3))),
            "tenant": owner,
            "email": f"e{self.chance.randrange(1_000_000)}",
            "boss": None,
        }
        given = {name: value for name, value in held.items() if value not in (None, set())}
        person = self.firm.person(**given)

        def done() -> None:
            assert int(person.pk.get()) % COUNT == int(owner) % COUNT
            self.people[person.pk.get()] = held

        return {int(owner) % COUNT}, done

    def new_order(self, used: set[str]) -> Said | None:
        pk = self.pick(used, self.people)
        if pk is None:
            return None
        what = self.chance.choice(NAMES)
        order = self.firm.order(person=self.firm.person.lazy_connect(pk), what=what)

        def done() -> None:
            self.orders[order.pk.get()] = (pk, what)

        return {int(pk) % COUNT}, done

    def new_visitor(self, used: set[str]) -> Said:
        self.codes += 1
        code = f"{self.codes}" if self.chance.random() < 0.5 else f"{self.codes}{{same}}"
        self.firm.visitor(code=code, seen=1)

        def done() -> None:
            self.visitors[code] = 1

        return {where(code)}, done

    def see(self, used: set[str]) -> Said | None:
        code = self.pick(used, self.visitors)
        if code is None:
            return None
        self.firm.visitor(code).seen.hincrby(1)

        def done() -> None:
            self.visitors[code] += 1

        return {where(code)}, done

    def change(self, used: set[str]) -> Said | None:
        pk = self.pick(used, self.people)
        if pk is None:
            return None
        person, name, tag = self.firm.person(pk), self.chance.choice(NAMES), self.chance.choice(TAGS)
        age = self.chance.choice((3, 7, 9))
        person.name.hset(name)
        person.tags.sadd(tag)
        person.age.hset(age)

        def done() -> None:
            held = self.people[pk]
            held["name"], held["age"] = name, age
            held["tags"].add(tag)

        return {int(pk) % COUNT}, done

    def refer(self, used: set[str]) -> Said | None:
        pk, boss = self.pick(used, self.people), self.pick(used, self.people)
        if pk is None or boss is None:
            return None
        self.firm.person(pk).boss.set(boss)

        def done() -> None:
            self.people[pk]["boss"] = boss

        return {int(pk) % COUNT, int(boss) % COUNT}, done

    def delete(self, used: set[str]) -> Said | None:
        kind = self.chance.choice(("tenant", "person", "visitor"))
        among = {"tenant": self.tenants, "person": self.people, "visitor": self.visitors}[kind]
        # What goes with it might be used.
        pk = None if used else self.pick(used, among)
        if pk is None:
            return None
        used |= {*self.tenants, *self.people, *self.visitors}
        getattr(self.firm, kind)(pk).delete()

        def done() -> None:
            del among[pk]
            for held in self.people.values() if kind != "visitor" else ():
                name = "tenant" if kind == "tenant" else "boss"
                held[name] = None if held[name] == pk else held[name]
            if kind == "person":
                self.orders = {order: of for order, of in self.orders.items() if of[0] != pk}

        return {where(pk) if kind == "visitor" else int(pk) % COUNT}, done

    # What must be stored.

    def keys(self) -> dict[bytes, Any]:
        """Return each key but for its place: of objects and indexes, with what it holds, by shard."""
        found: dict[tuple[int, str], Any] = {}

        def add(shard: int, key: str, member: str) -> None:
            found.setdefault((shard, key), set()).add(member.encode())

        def put(shard: int, key: str, values: dict[str, str]) -> None:
            found[shard, key] = {name.encode(): value.encode() for name, value in values.items()}

        def score(shard: int, key: str, member: str, value: float) -> None:
            found.setdefault((shard, key), []).append((member.encode(), value))

        for pk, name in self.tenants.items():
            shard = int(pk) % COUNT
            add(shard, "tenant:collection", pk)
            add(shard, f"tenant:name:{name}", pk)
            put(shard, f"tenant:{pk}:hash", {"name": name})
        for pk, held in self.people.items():
            shard = int(pk) % COUNT
            add(shard, "person:collection", pk)
            names = ("tenant", "email", "name", "age")
            put(shard, f"person:{pk}:hash", {name: str(held[name]) for name in names if held[name] is not None})
            for name in (*names, "boss"):
                if held[name] is not None:
                    add(shard, f"person:{name}:{held[name]}", pk)
            for tag in held["tags"]:
                add(shard, f"person:tags:{tag}", pk)
                add(shard, f"person:{pk}:tags", tag)
            if held["boss"] is not None:
                found[shard, f"person:{pk}:boss"] = held["boss"].encode()
            if held["age"] is not None:
                score(shard, "person:age:number-range", pk, held["age"])
            if held["tenant"] is not None:
                add(shard, f"person:email:equal-with:{held['email']}:{held['tenant']}", pk)
            score(shard, "person:name:text-range", f"{held['name']}:{pk}", 0)
        for pk, (person, what) in self.orders.items():
            shard = int(pk) % COUNT
            add(shard, "order:collection", pk)
            put(shard, f"order:{pk}:hash", {"person": person})
            add(shard, f"order:person:{person}", pk)
            found[shard, f"order:{pk}:what"] = what.encode()
            add(shard, f"order:what:{what}", pk)
        for code, seen in self.visitors.items():
            shard = where(code)
            add(shard, "visitor:collection", code)
            put(shard, f"visitor:{code}:hash", {"seen": str(seen)})
            add(shard, f"visitor:seen:{seen}", code)
            score(shard, "visitor:seen:number-range", code, seen)
        return {
            f"{shard}:{key}".encode(): sorted(value) if isinstance(value, list) else value
            for (shard, key), value in found.items()
        }


def where(code: str) -> int:
    """Return the shard of a chosen primary key."""
    return crc16(b"same" if "{same}" in code else code.encode()) % COUNT


def ends(member: bytes) -> bytes:
    """Return the first and the last part of a text that colons separate."""
    return b":".join((member.partition(b":")[0], member.rpartition(b":")[2]))


def stored(server: Backend | Cluster) -> dict[bytes, Any]:
    """Return what all servers hold, by shard and key; not tokens, fingerprints, counters and the layout."""
    found: dict[bytes, Any] = {}
    for client in clients(server):
        for key in client.scan_iter(count=1_000):
            opening, _, rest = key.partition(b"}:ns:")
            if not rest or b":__commit__:" in key or key.endswith((b":__fingerprint__", b":max_pk")):
                continue
            kind = client.type(key).decode()
            pipeline = client.pipeline(transaction=False)
            READERS[kind](pipeline, key)
            (raw,) = pipeline.execute()
            value = SHAPES.get(kind, lambda each: each)(raw)
            if kind == "zset":
                # A text stands before its separator, and the primary key behind.
                by_text = rest.endswith(b":text-range")
                value = sorted((ends(member) if by_text else member, score) for member, score in value)
            shard = opening.removeprefix(b"{").partition(b".")[0]
            assert crc16(opening.removeprefix(b"{")) % 16_384 == (2 * int(shard) + 1) * 16_384 // (2 * COUNT)
            name = b"%b:%b" % (shard, rest)
            assert name not in found
            found[name] = set(value) if kind == "set" else value
    return found


def test_every_key_is_where_and_what_it_should_be(anywhere: Backend | Cluster) -> None:
    """After each session, committed or refused; and collections find what the oracle has."""
    seed = int.from_bytes(os.urandom(4), "big")
    chance = random.Random(seed)
    firm = declare(anywhere, COUNT)
    oracle = Oracle(firm, chance)
    committed = refused = 0
    for step in itertools.count():
        if step >= 120 and min(committed, refused) > 10:
            break
        assert step < 1_200, (seed, committed, refused)
        used: set[str] = set()
        said: list[Said] = []
        try:
            with Session(firm.db, on_pending="discard") as s:
                for _ in range(chance.randrange(1, 4)):
                    if (one := oracle.some(used)) is not None:
                        said.append(one)
                s.commit()
        except CrossPlace:
            # What is new and near nothing is where the session began.
            assert len(set[int]().union(*(shards for shards, _ in said))) > 1 or not all(s for s, _ in said), seed
            refused += 1
        else:
            assert len(set[int]().union(*(shards for shards, _ in said))) < 2, seed
            for _, done in said:
                done()
            committed += 1
        if step % 10 == 9:
            assert oracle.keys() == stored(anywhere), (seed, step)
            check_questions(oracle, seed)
    assert oracle.keys() == stored(anywhere), seed


def check_questions(oracle: Oracle, seed: int) -> None:
    """Compare what collections find with what the oracle has."""
    firm, people = oracle.firm, oracle.people
    assert sorted(people, key=int) == firm.person.collection().sort()[:], seed
    for name in NAMES:
        expected = sorted((pk for pk, held in people.items() if held["name"] == name), key=int)
        assert expected == firm.person.collection(name=name).sort()[:], seed
        assert len(expected) == firm.person.collection(name=name).count(), seed
    aged = sorted((held["age"] or 0, int(pk)) for pk, held in people.items())
    assert [str(pk) for _, pk in aged] == list(firm.person.collection().sort(by="age")), seed
    assert [str(pk) for _, pk in aged][:7] == firm.person.collection().sort(by="age")[:7], seed
    for tenant in oracle.tenants:
        of_it = sorted((pk for pk, held in people.items() if held["tenant"] == tenant), key=int)
        assert of_it == firm.tenant(tenant).person_set().sort()[:], seed
    assert sorted(oracle.visitors) == firm.visitor.collection().sort(alpha=True)[:], seed
