"""What a deletion costs, however many refer to the object: round trips on the socket, one transaction, told before."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contrib.related.people import FIELDS, Models, Society, check, refer, there
from tests.tools.backends import Backend, Real
from tests.tools.proxy import Proxy
from tests.whole.exact import committed
from uowredis import RedisDatabase, Session
from uowredis.contrib.related import CASCADE, CLEAR, FKInstanceHashField, M2MSetField, OnDelete

ENDINGS = pytest.mark.parametrize("rule", [CLEAR, CASCADE], ids=lambda rule: rule.name)


@pytest.fixture
def database(proxy: Proxy) -> Iterator[RedisDatabase]:
    with RedisDatabase.from_url(proxy.url) as database:
        yield database


def groups(models: Models, count: int, *of: Any) -> None:
    """Create groups of all *of* in one session."""
    with Session(models.database) as session:
        for number in range(count):
            refer(models.Group(name=f"group {number}", note=number % 7).of, *of)
        session.commit()


def transactions(proxy: Proxy) -> int:
    return sum(command[0] in (b"EXEC", b"EVAL", b"EVALSHA") for command in proxy.seen)


@pytest.mark.parametrize("field", FIELDS)
@ENDINGS
@pytest.mark.parametrize("referrers", [0, 1, 200])
def test_deleting_who_many_refer_to(
    proxy: Proxy, database: RedisDatabase, real: Real, field: Any, rule: OnDelete, referrers: int
) -> None:
    """At most five round trips and one transaction, which the plan tells, whoever refers and by whatever field."""
    models = Models(database, field, rule)
    other, gone = models.persons("og")
    groups(models, referrers, other, gone)
    proxy.reset()
    with Session(database) as session:
        gone.delete()
        session.commit()
    assert 1 == transactions(proxy)
    assert session.last_plan.round_trips == proxy.round_trips()
    assert 5 >= proxy.round_trips()
    assert (referrers if rule is CLEAR else 0) == len(there(real, "group"))
    check(real)


@pytest.mark.parametrize("width", [1, 30])
@pytest.mark.parametrize("depth", [1, 4])
def test_a_chain_takes_a_round_for_each_link(
    proxy: Proxy, database: RedisDatabase, real: Real, depth: int, width: int
) -> None:
    """Under CASCADE there is a round of reads for each generation and one for the last, and one transaction."""
    models = Models(database, FKInstanceHashField, CASCADE)
    (first,) = models.persons("a")
    with Session(database) as session:
        generation = [first] * width
        for number in range(depth):
            likers = [models.Person(name=f"{number}-{place}") for place in range(width)]
            for liker, liked in zip(likers, generation, strict=True):
                refer(liker.likes, liked)
            generation = likers
        session.commit()
    proxy.reset()
    first.delete()
    assert (1, depth + 2) == (transactions(proxy), proxy.round_trips())
    assert {} == real.dump()


@pytest.mark.parametrize(
    ("field", "rule", "what_follows"),
    [
        (FKInstanceHashField, CLEAR, "{:,} references cleared in Group.of"),
        (M2MSetField, CLEAR, "{:,} references cleared in Group.of"),
        (FKInstanceHashField, CASCADE, "{:,} Group deleted by cascade"),
    ],
    ids=["clear one", "clear many", "cascade"],
)
def test_a_crowd_refers_to_it(server: Backend, field: Any, rule: OnDelete, what_follows: str) -> None:
    """A deletion that takes ten thousand along is one commit; the plan says beforehand what it costs."""
    size = 10_000 if server.real else 1_000
    models = Models(server.database(), field, rule)
    other, gone = models.persons("og")
    crowd(server, size, field, other, gone)
    with Session(models.database) as session:
        gone.delete()
        shown = session.plan()
        head = f"plan: Person <g> deleted, {what_follows.format(size)}; {shown.round_trips} round trips; atomic"
        assert str(shown).startswith(head)
        session.commit()
    assert shown == session.last_plan
    assert 5 >= shown.round_trips
    assert (size if rule is CLEAR else 0) == server.client().scard(":group:collection")
    check(server)


def crowd(server: Backend, size: int, field: Any, *persons: Any) -> None:
    """Make groups by plain commands, as bulk data may be; a foreign key is to the last person."""
    names, pks = [f"group {number}" for number in range(size)], [person.pk.get() for person in persons]
    pipeline = server.client().pipeline(transaction=False)
    if field is FKInstanceHashField:
        del pks[:-1]
    for name in names:
        if field is FKInstanceHashField:
            pipeline.hset(f":group:{name}:hash", "of", *pks)
        else:
            pipeline.sadd(f":group:{name}:of", *pks)
    pipeline.sadd(":group:collection", *names)
    for pk in pks:
        pipeline.sadd(f":group:of:{pk}", *names)
    pipeline.execute()


def test_the_head_counts_what_follows(server: Backend) -> None:
    """One is one, and what many fields lose or many models is told apart."""
    models = Models(server.database(), FKInstanceHashField, CLEAR)
    (gone, other) = models.persons("go")
    refer(other.likes, gone)
    groups(models, 2, gone)
    with Session(models.database, on_pending="discard") as session:
        gone.delete()
        head = str(session.plan()).splitlines()[0]
    assert "1 reference cleared in Person.likes" in head
    assert "2 references cleared in Group.of" in head


# A plan is exactly what is sent.


class Story:
    """What is there before, and what is said: a deletion that clears, cascades, and would be restricted."""

    def __init__(self, field: Any) -> None:
        self._field = field

    def prepare(self, things: Any) -> None:
        """Have groups, parts, a part of a part and a pin refer to ``g``, and some of them to ``o``."""
        self.society = Society(things.Thing.database, self._field)
        self.gone, self.other = self.society.people.persons("go")
        groups(self.society.people, 3, self.other, self.gone)
        refer(self.other.likes, self.gone)
        for number in range(3):
            self.society.part(f"part {number}", whole=self.gone)
        self.society.part("kept", whole=self.other)
        self.society.part("deeper", of=self.society.Part("part 1"), held_by=self.gone)
        self.pin = self.society.pin("pin", person=self.gone)

    def say(self, things: Any) -> None:
        """Delete ``g`` and have the pin go; what is deleted with it is written to before."""
        self.society.people.Group("group 1").note.hset("changed")
        self.society.Part("part 2").note.hset("changed")
        self.gone.delete()
        self.pin.delete()
        self.society.pin("new", person=self.other)


@pytest.mark.parametrize("field", FIELDS)
def test_a_deletion_is_sent_as_shown(real: Real, twin: Real, field: Any) -> None:
    """What is shown, sent and seen is the same for a deletion that clears, cascades and would be restricted."""
    story = Story(field)
    plan = committed(real, twin, story.say, story.prepare)
    assert "4 Part deleted by cascade" in plan.title
    assert not plan.scripted
    assert {"o"} == there(real, "person")
    assert {"kept"} == there(real, "part")
    check(real)


def test_a_deletion_is_sent_as_shown_by_a_script(real: Real, twin: Real) -> None:
    """So it is where so much is watched that a script guards it."""
    models: list[Models] = []

    def prepare(things: Any) -> None:
        models.append(Models(things.Thing.database, FKInstanceHashField, CASCADE))
        groups(models[0], 600, *models[0].persons("g"))

    say: Callable[[Any], object] = lambda things: models[0].Person("g").delete()  # noqa: E731
    assert committed(real, twin, say, prepare).scripted
    assert set() == there(real, "group") | there(real, "person")
