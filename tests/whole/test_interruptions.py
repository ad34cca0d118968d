"""Conversations that are interrupted at any line of the library: whole or not at all, and everything goes on after it.

A sample of the points is taken, other ones with ``INTERRUPTION_SEED=...``; ``INTERRUPTIONS=all`` takes every one
(CONTRIBUTING.md). What is stored is read by plain redis-py.
"""

import gc
import os
import random
import signal
import sys
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from tests.tools.backends import Backend, Dump
from tests.tools.interruptions import Interruption, interrupted
from tests.tools.wholeness import check_whole
from uowredis import InstanceHashField, Session, SetField, StringField, UowError
from uowredis.contrib.database import PipelineDatabase
from uowredis.contrib.related import CASCADE, FKInstanceHashField, RelatedModel

SHAPES = {"house": {"name": None, "price": None, "tags": None}, "room": {"name": None, "house": "house"}}

#: How many points are taken of a conversation.
SAMPLE = 25


class Late(BaseException):
    """What a signal handler raises."""


ERRORS: tuple[type[BaseException], ...] = (KeyboardInterrupt, Late, GeneratorExit, MemoryError)


class Planned(Exception):
    """An error of the caller's own."""


class World:
    """Two houses with a room each, on one server, put there anew for each interruption."""

    def __init__(self, server: Backend) -> None:
        self.server = server
        url = {} if not server.real else server.server.url  # type: ignore[attr-defined]
        on = PipelineDatabase.from_url(url) if url else PipelineDatabase.embedded(server.server)  # type: ignore[attr-defined]
        server._opened.callback(on.close)
        self.database = on

        class House(RelatedModel):
            database = on
            name = InstanceHashField(unique=True)
            price = StringField(indexable=True)
            tags = SetField(indexable=True)
            visits = StringField()
            after = StringField()

        class Room(RelatedModel):
            database = on
            name = InstanceHashField(indexable=True)
            house = FKInstanceHashField("House", related_name="rooms", on_delete=CASCADE)

        self.House, self.Room = House, Room
        self.client = server.client()
        self.session: Any = None
        self.server.flush()
        for name in ("old", "other"):
            self.Room(name="hall", house=self.House(name=name, price="2.5", tags=["a"], visits=0))
        self._seed = {key: self.client.dump(key) for key in self.client.keys("*")}
        self.other = self.House("2")
        self.anew()

    def anew(self) -> None:
        """Put there what was there, by plain redis-py."""
        pipeline = self.client.pipeline()
        pipeline.flushdb()
        for key, value in self._seed.items():
            pipeline.restore(key, 0, value)
        pipeline.execute()
        self.old = self.House("1")
        self.session = None

    def give_back(self) -> None:
        """Give back the numbers that an interrupted commit has burnt, so that data can be compared."""
        for model in ("house", "room"):
            if not self.client.exists(f":{model}:3:hash"):
                self.client.set(f":{model}:max_pk", 2)

    def data(self) -> Dump:
        """Return what is stored but for the counters of primary keys, which may have gaps, and what is said after."""
        found = self.server.dump()
        return {key: value for key, value in found.items() if not key.endswith((b":max_pk", b":after"))}


Statement = Callable[[World], object]


@attrs.frozen
class Conversation:
    """What is said, a statement after the other.

    Attributes:
        opened: gives the session, None where each statement is sent at once.
        commits: whether leaving commits; else the last statement does.
    """

    name: str
    opened: Callable[[World], Any] | None
    statements: tuple[Statement, ...]
    commits: bool = False

    def __str__(self) -> str:
        return self.name

    def through(self, world: World, count: int, said: list[int], caught: "Caught | None" = None) -> None:
        """Say the first *count* statements, and commit; note in *said* how many were begun."""
        statements = [*self.statements[:count]]
        if self.opened is None:
            for statement in statements:
                said.append(1)
                statement(world)
            return
        with self.opened(world) as session:
            world.session = session
            if not self.commits:
                statements.append(_commit)
            interruption = None
            try:
                for statement in statements:
                    said.append(1)
                    statement(world)
            except BaseException as error:
                if caught is None:
                    raise
                interruption = error
            if interruption is not None and caught is not None:
                # Nothing holds what was left by it any more.
                interruption.__traceback__ = interruption.__context__ = None
                caught.go_on(world, session, interruption)


def _commit(world: World) -> None:
    world.session.commit()


class Caught:
    """Goes on in a session in which an interruption was caught: what is said then is sent, or refused loudly."""

    def __init__(self) -> None:
        self.rolled_back = False
        self.notes: list[str] = []

    def go_on(self, world: World, session: Any, error: BaseException) -> None:
        """Say something more and commit it; where that is refused, after a rollback."""
        sys.settrace(None)
        self.notes = getattr(error, "__notes__", [])
        world.give_back()
        try:
            after = world.other.after.incr()
            session.commit()
        except UowError:
            self.rolled_back = True
            session.rollback()
            after = world.other.after.incr()
            session.commit()
        assert 1 == after.result


def _new_house(world: World) -> None:
    world.new = world.House(name="new", price="1")  # type: ignore[attr-defined]


def _new_room(world: World) -> None:
    world.Room(name="attic", house=world.new)  # type: ignore[attr-defined]


def _savepoints(world: World) -> None:
    with world.session.savepoint():
        world.old.visits.incr()
        world.House(name="kept", price="5")
    try:
        with world.session.savepoint():
            world.old.visits.incr()
            world.House(name="dropped")
            raise Planned
    except Planned:
        pass


def _reads(world: World) -> None:
    world.old.visits.get()
    world.old.price.get()
    world.old.tags.smembers()
    list(world.House.collection(price="2.5"))
    list(world.old.rooms())
    world.session.plan()


def _query(world: World) -> None:
    list(world.House.collection(price="2.5").sort(by="name", alpha=True))
    world.House.collection(name="old").instances()[0].hmget("name")
    world.House.exists(name="old")


def _incr(world: World) -> None:
    world.old.visits.incr()


def _add(world: World) -> None:
    world.old.price.incrbyfloat("0.5")


def _draw(world: World) -> None:
    world.old.tags.spop()


def _rename(world: World) -> None:
    world.old.name.hset("older")


def _delete(world: World) -> None:
    world.old.delete()


def _session(world: World) -> Session:
    return Session(world.database)


def _watching(world: World) -> Session:
    return Session(world.database, watch_reads=True)


def _begin(world: World) -> Session:
    return world.database.begin()


def _pipeline(world: World) -> Session:
    return world.database.pipeline()


def _shared(world: World) -> Session:
    return world.database.pipeline(share_in_threads=True)


def _in_run(world: World) -> None:
    def function(session: Session) -> None:
        world.old.visits.get()
        world.old.visits.incr()
        world.old.name.hset("older")

    world.database.run(function)


def _read_pipeline(world: World) -> None:
    world.old.visits.get()
    world.House.collection(price="2.5")


CONVERSATIONS = (
    Conversation("creating", _session, (_new_house, _new_room, _incr)),
    Conversation("rehearsing", _session, (_add, _draw, _incr)),
    Conversation("reading", _watching, (_incr, _add, _reads, _rename)),
    Conversation("savepoints", _session, (_incr, _savepoints)),
    Conversation("deleting", _session, (_incr, _delete)),
    Conversation("begin", _begin, (_rename, _new_house), commits=True),
    Conversation("pipeline", _pipeline, (_incr, _read_pipeline, _rename)),
    Conversation("shared pipeline", _shared, (_incr, _rename)),
    Conversation("run", None, (_in_run,)),
    Conversation("single calls", None, (_new_house, _incr, _query, _add, _rename, _delete)),
)


class Sweep:
    """One conversation on one server, and what it may leave."""

    def __init__(self, world: World, conversation: Conversation) -> None:
        self.world, self.conversation = world, conversation
        count = len(conversation.statements)
        #: What is there when so many statements were committed.
        self.after = []
        for said in range(count + 1):
            world.anew()
            conversation.through(world, said, [])
            self.after.append(world.data())
        world.anew()
        with interrupted(None, 0) as counted:
            conversation.through(world, count, [])
        self.points = counted.points

    def interrupt(self, at: int, error: BaseException, caught: Caught | None) -> Interruption:
        """Interrupt the conversation at a point, and check what is there then."""
        world, conversation, said = self.world, self.conversation, []
        world.anew()
        signal.alarm(20)
        raised = False
        with interrupted(error, at) as interruption:
            try:
                conversation.through(world, len(conversation.statements), said, caught)
            except BaseException as surfaced:
                if surfaced is not error:
                    surfaced.add_note(f"instead of {type(error).__name__} at {at}: {interruption.place}")
                    raise
                # Nothing holds what was left by it any more.
                surfaced.__traceback__ = surfaced.__context__ = None
                raised = True
        try:
            self._check(len(said), raised, caught, getattr(error, "__notes__", []))
            self._check_goes_on(caught)
        except BaseException as failure:
            failure.add_note(f"interrupted at {at}: {interruption.place} by {type(error).__name__}")
            raise
        signal.alarm(0)
        return interruption

    def _check(self, said: int, raised: bool, caught: Caught | None, notes: list[str]) -> None:
        world, conversation = self.world, self.conversation
        data = world.data()
        check_whole({**world.server.dump()}, SHAPES)
        none, whole = self.after[0], self.after[-1]
        session, world.session = world.session, None
        if conversation.opened is None:
            # The one that was interrupted happened, or not.
            allowed = self.after[said - 1 : said + 1] if raised else [whole]
        elif caught is not None and caught.notes == [] and not raised:
            allowed = [none] if caught.rolled_back else self.after[max(0, said - 1) : said + 1]
        else:
            allowed = [none, whole]
        assert data in allowed
        if session is not None and caught is None:
            outcome = session.outcome
            assert (
                outcome
                in {
                    True: {"applied", "unknown"} if raised else {"applied"},
                    False: {None, "not applied", "unknown"},
                }[data == whole]
            )
            if data == whole and raised and outcome == "unknown":
                assert "commit was applied, or nothing" in " ".join(notes)
            if session.token is not None:
                assert world.database.settle(session.token) == ("applied" if data == whole else "not applied")

    def _check_goes_on(self, caught: Caught | None) -> None:
        """Check that no session is left open, that what is said is sent, and that connections are as new."""
        world = self.world
        before = int(world.client.get(":house:2:after") or 0)
        assert before + 1 == world.other.after.incr()
        with Session(world.database) as session:
            after = world.other.after.incr()
            session.commit()
        assert before + 2 == after.result
        pool: Any = world.database._executor.pool.connections
        assert not pool._in_use_connections
        world.client.flushdb()  # whoever watches something is aborted by it
        for connection in pool._available_connections:
            if connection._sock is not None:
                assert not connection.can_read(0)
                for command in (("ECHO", "a"), ("MULTI",), ("ECHO", "b"), ("EXEC",)):
                    connection.send_command(*command)
                assert [b"a", b"OK", b"QUEUED", [b"b"]] == [connection.read_response() for _ in range(4)]


@pytest.mark.usefixtures("_bounded")
@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=str)
def test_wherever_it_comes(server: Backend, conversation: Conversation) -> None:
    """By whatever error, whether it leaves the block or is caught in it."""
    sweep = Sweep(World(server), conversation)
    dice = random.Random(f"{os.environ.get('INTERRUPTION_SEED', 1)} {conversation} {server.name}")
    if os.environ.get("INTERRUPTIONS") != "all":
        for at in dice.sample(range(1, sweep.points + 1), SAMPLE):
            sweep.interrupt(at, dice.choice(ERRORS)(), dice.choice((None, Caught())))
        return
    failures: dict[str, str] = {}
    for at in range(1, sweep.points + 1):
        try:
            sweep.interrupt(at, dice.choice(ERRORS)(), dice.choice((None, Caught())))
        except (Exception, *ERRORS) as failure:
            signal.alarm(0)
            place = " ".join(getattr(failure, "__notes__", [])) or f"at {at}"
            failures.setdefault(place.rpartition(": ")[2].partition(" by ")[0], f"{place}: {failure!r:.300}")
            failure.__traceback__ = failure.__context__ = failure.__cause__ = None
            gc.collect()
            sweep.world.database.close()
    print(f"{conversation}, {server.name}: {sweep.points} points, {len(failures)} findings", file=sys.stderr)
    for finding in failures.values():
        print(f"    {finding}", file=sys.stderr)
    assert {} == failures
