"""Random programs of commands and savepoints, and how they are run: with what is forgotten, or as if never said."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
from hypothesis import strategies as st

from uowredis import (
    InstanceHashField,
    ListField,
    Pending,
    PKField,
    RedisDatabase,
    Session,
    SetField,
    StringField,
    UowError,
)
from uowredis.contrib.related import FKInstanceHashField, M2MSetField, RelatedModel


class Graph:
    """Items, whose pks are counted, and marks, whose pks are chosen; both refer to items and marks."""

    def __init__(self, on: RedisDatabase) -> None:
        class Item(RelatedModel):
            database = on
            label = InstanceHashField(indexable=True)
            code = StringField(unique=True)
            count = StringField()
            tags = SetField(indexable=True)
            rows = ListField()
            friend = FKInstanceHashField("self", related_name="friends_of")
            marks = M2MSetField("Mark", related_name="items")

        class Mark(RelatedModel):
            database = on
            key = PKField()
            label = InstanceHashField(indexable=True)
            count = StringField(default=0)
            tags = SetField(indexable=True)
            friend = FKInstanceHashField("Item", related_name="marks_of")
            marks = M2MSetField("self", related_name="marked_by")

        self.database, self.Item, self.Mark = on, Item, Mark

    def fill(self) -> list[Any]:
        """Store two of each; return their handles."""
        items = [self.Item(label="a", code=f"c{number}", count=number, tags=["t"]) for number in range(2)]
        marks = [self.Mark(key=key, label="b", tags=["t"], friend=items[0]) for key in ("x", "y")]
        items[1].marks.sadd(marks[0])
        return items + marks


@attrs.frozen
class Do:
    """One command: on whom, about whom, with which value; all by place."""

    verb: str
    who: int
    other: int
    value: int


@attrs.frozen
class Block:
    """A savepoint: what is said in it, whether and how that is forgotten, and what is said in it afterwards."""

    said: "tuple[Do | Block, ...]"
    forgotten: str
    after: "tuple[Do | Block, ...]" = ()


Program = Sequence[Do | Block]

VALUES = ("a", "b", "c0", "c5", "t")
KEYS = ("x", "y", "z")
WRITES = ("new", "new", "empty", "mark", "label", "label", "code", "count", "tag", "row", "refer", "refer", "mark it")
READS = ("value", "tags", "exists", "coded", "reference", "pk")
#: As often as several others together: whatever is deleted or forgotten should have been referred to.
VERBS = (*WRITES, *READS, "delete", "delete", "unlabel")

_DO = st.builds(Do, st.sampled_from(VERBS), st.integers(0, 9), st.integers(0, 9), st.integers(0, 4))
_FORGOTTEN = st.sampled_from(["kept", "rollback", "exception", "rollback", "exception"])


def _blocks(inner: Any) -> Any:
    said = st.lists(inner, max_size=5).map(tuple)
    return st.builds(Block, said, _FORGOTTEN, st.lists(inner, max_size=2).map(tuple))


PROGRAMS = st.lists(st.recursive(_DO, lambda inner: _blocks(inner) | _DO, max_leaves=12), min_size=2, max_size=9)


class Forgotten(Exception):
    """Leaves a savepoint."""


@attrs.define
class Run:
    """Runs a program in a session.

    Attributes:
        session: the session.
        graph: the models.
        handles: what can be spoken of.
        with_forgotten: say what is forgotten, in savepoints; else it is never said.
        lost: objects that were made in what was forgotten.
        dropped: replies that were forgotten.
        heard: what the commands gave that were not forgotten, refusals too.
    """

    session: Session
    graph: Graph
    handles: list[Any]
    with_forgotten: bool
    lost: list[Any] = attrs.field(factory=list)
    dropped: list[Pending[Any]] = attrs.field(factory=list)
    heard: list[Any] = attrs.field(factory=list)
    depth: int = 0

    def run(self, program: Program) -> None:
        """Say *program*."""
        for each in program:
            if isinstance(each, Do):
                self.heard.append(heard(lambda each=each: self.do(each)))
            else:
                self.block(each)

    def block(self, block: Block) -> None:
        """Say a block, or what is left of it."""
        kept = block.forgotten == "kept"
        if not self.with_forgotten:
            self.run((*block.said, *block.after) if kept else block.after if block.forgotten == "rollback" else ())
            return
        try:
            with self.session.savepoint() as savepoint:
                if kept:
                    self.run((*block.said, *block.after))
                else:
                    self.forget(block.said)
                    if block.forgotten == "exception":
                        raise Forgotten
                    savepoint.rollback()
                    self.run(block.after)
        except Forgotten:
            pass

    def forget(self, program: Program) -> None:
        """Say what will be forgotten, and take note of it; forget it here, too."""
        handles, already, self.depth = list(self.handles), len(self.heard), self.depth + 1
        self.run(program)
        self.dropped += [each for each in self.heard[already:] if isinstance(each, Pending)]
        self.lost += [each for each in self.handles if not any(each is known for known in handles)]
        del self.heard[already:]
        self.handles, self.depth = handles, self.depth - 1

    def do(self, do: Do) -> Any:
        """Say one command."""
        who, other = self.handles[do.who % len(self.handles)], self.handles[do.other % len(self.handles)]
        item = [each for each in self.handles if isinstance(each, self.graph.Item)][do.other % 2 - 1]
        mark = [each for each in self.handles if isinstance(each, self.graph.Mark)][do.other % 2 - 1]
        value = VALUES[do.value]
        match do.verb:
            case "new":
                self.handles.append(self.graph.Item(label=value, friend=item, marks=[mark]))
            case "empty":
                self.handles.append(self.graph.Item())
            case "mark":
                self.handles.append(self.graph.Mark(key=KEYS[do.value % 3], label=value, friend=item))
            case "label":
                return who.label.hset(value)
            case "unlabel":
                return who.label.hdel()
            case "code":
                return item.code.set(value)
            case "count":
                return who.count.incr(do.value)
            case "tag":
                return who.tags.sadd(value)
            case "row":
                return item.rows.rpush(value)
            case "refer":
                return who.friend.hset(item)
            case "mark it":
                return who.marks.sadd(mark)
            case "delete":
                return other.delete()
            case "pk":
                # To be asked for its pk is what no rollback takes back from a new object: gaps are allowed.
                return None if self.depth else who.pk.get()
            case "reference":
                return None if self.depth else who.friend.hget()
            case "value":
                # The label stands beside a reference: test_savepoints reads such.
                return who.count.get() if self.depth else (who.label.hget(), who.count.get())
            case "tags":
                return who.tags.smembers()
            case "exists":
                return self.graph.Item.exists(label=value), self.graph.Mark.exists(label=value)
            case "coded":
                return self.graph.Item.exists(code=value)
        return None

    def seen(self) -> Iterator[Any]:
        """Yield what is read of every object, and in what order all was said."""
        yield [str(command) for command in self.session.pending]
        for each in self.handles:
            yield heard(lambda each=each: (each.label.hget(), each.count.get(), sorted(each.tags.smembers())))


def heard(call: Callable[[], Any]) -> Any:
    """Return what *call* gives, or the refusal it raises, with its words."""
    try:
        return call()
    except UowError as error:
        return type(error).__name__, str(error)


def plain(found: Any) -> Any:
    """Return what was heard without handles: an instance as its model and pk, a reply to be as its words."""
    if isinstance(found, RelatedModel):
        return type(found).__name__, heard(found.pk.get)
    if isinstance(found, Pending):
        return repr(found)
    return [plain(each) for each in found] if isinstance(found, list) else found
