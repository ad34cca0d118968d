"""One key's part in a plan: what must be read of it, and what the pending commands make of it (decide).

Where every change can be told from its arguments, nothing is rehearsed and nothing is read but what the index must
forget. Else what the commands name is read under watch, and the commands are tried in the rehearsal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Opaque, Removed, Replaced, named, needs_content
from uowredis.commands.commands import matters, may_fail, touched_fields
from uowredis.commands.journal import Epoch, Life, Placed
from uowredis.exceptions import Rejected
from uowredis.plan.steps import UNKNOWN
from uowredis.planner.content import Pairs, Part, pairs, read_call
from uowredis.planner.rehearsal import KEY, Refused, Rehearsal, Rewrite, TooLarge
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import FieldSchema, Kind


@attrs.define(eq=False)
class KeyPart:
    """All that happens to one key of one object in one epoch.

    Attributes:
        given: the pairs that the constructor put there.
        said: the writes with their positions.
        members: what constructor and writes name, in order.
        touched: the fields concerned.
        indexed: those of them that have an index.
        rehearsed: the writes must be tried.
        part: what is read of the key: None for the whole, () for nothing.
        call: the read, where there is one.
        rewrites: what is sent in place of an opaque write, by position.
    """

    life: Life
    epoch: Epoch
    storage: str
    kind: Kind
    given: Pairs
    said: list[Placed]
    members: tuple[str, ...]
    touched: list[FieldSchema]
    indexed: list[FieldSchema]
    rehearsed: bool
    part: Part = ()
    call: Call | None = None
    rewrites: dict[int, Rewrite] = attrs.field(factory=dict)

    @classmethod
    def of(cls, life: Life, epoch: Epoch, storage: str) -> KeyPart:
        """Return what happens to *storage* in *epoch*."""
        model = life.identity.model
        create, said = epoch.create, epoch.said(storage)
        given = list(create.entries) if create is not None and storage == INSTANCE_HASH else []
        members = tuple(
            dict.fromkeys(
                [entry for entry, _ in given] + [name for _, write in said for name in named(write.change) or ()]
            )
        )
        kind = Kind.HASH if storage == INSTANCE_HASH else model.by_stored[storage].kind
        touched = list(touched_fields(model, storage, members))
        indexed = [field for field in touched if field.indexed]
        rehearsed = any(needs_content(write.change) and (matters(write) or may_fail(write)) for _, write in said)
        # Where two values may share an entry, what is left of the others tells whether it stays.
        lossy = any(field.lossy for field in indexed)
        rehearsed = rehearsed or (lossy and any(type(write.change) is not Added for _, write in said))
        part = cls(life, epoch, storage, kind, given, said, members, touched, indexed, rehearsed)
        if not epoch.from_nothing:
            part.part = part._part()
            if part.part != ():
                assert life.identity.pk is not None
                part.call = read_call(kind, model.keys.storage(life.identity.pk, storage), part.part)
        return part

    def _part(self) -> Part:
        whole = any(named(write.change) is None for _, write in self.said)
        whole = whole or (self.rehearsed and any(field.lossy for field in self.indexed))
        if self.rehearsed:
            return None if whole or self.kind in (Kind.LIST, Kind.STRING) else self.members
        if self.storage == INSTANCE_HASH:
            return tuple(field.stored for field in self.indexed)
        if not self.indexed:
            return ()
        if whole or self.kind is Kind.STRING:
            return None
        return self.members if self.kind is Kind.HASH else ()

    @property
    def guarded(self) -> bool:
        """Whether what is read must not change: not where all fields concerned are ``lockable=False``."""
        return any(field.lockable for field in self.touched)

    @property
    def label(self) -> str:
        """The fields concerned, in words."""
        return ", ".join(f"{self.life.model.name}.{field.name}" for field in self.indexed or self.touched)

    def by_field(self, found: Pairs) -> Iterator[tuple[FieldSchema, Pairs]]:
        """Yield the indexed fields with what of *found* is theirs."""
        for field in self.indexed:
            if field.kind is Kind.ENTRY:
                yield field, [(entry, value) for entry, value in found if entry == field.stored]
            else:
                yield field, found

    def simple_after(self) -> Pairs:
        """Return what will be there of what was named, where the changes tell it."""
        there: dict[str, str | None] = dict(self.given)
        single = self.kind in (Kind.STRING, Kind.HASH)
        for _, write in self.said:
            match write.change:
                case Replaced(values):
                    there |= dict(values)
                case Added(values):
                    there |= {value: value for value in values}
                case Removed(None):
                    there.clear()
                case Removed(members) if members is not None:
                    there |= dict.fromkeys(members)
        return [(entry if single else "", value) for entry, value in there.items() if value is not None]

    def restated(self, field: FieldSchema, after: Pairs) -> Pairs:
        """Return what of *after* was said, or follows from what was said, whether it was there before or not."""
        if field.kind in (Kind.STRING, Kind.ENTRY):
            return after
        said = {argument for _, write in self.said for argument in write.args}.union(self.members)
        return [(entry, value) for entry, value in after if value in said or entry in said]

    def simple_before(self, reply: Any, after: Pairs) -> Pairs:
        """Return what the index must forget, where the changes tell that *after* will be there."""
        if self.part != ():
            return pairs(self.kind, self.part, reply)
        if self.epoch.from_nothing or self.kind is Kind.HASH or len(after) == len(self.members):
            return []
        kept = {value for _, value in after}
        return [("", value) for value in self.members if value not in kept]

    def rehearse(self, rehearsal: Rehearsal, reply: Any) -> Pairs:
        """Try the writes on what *reply* says was there; return what will be there.

        Raises:
            Rejected: where Redis would refuse one of them, or the key is too large to try it.
        """
        if reply is UNKNOWN:
            return pairs(self.kind, self.part, reply)
        try:
            if self.epoch.from_nothing:
                rehearsal.clear()
            else:
                rehearsal.load(self.kind, self.part, reply)
        except TooLarge as error:
            raise Rejected(
                f"{self.said[-1][1]} depends on what is there: {error} members, more than are rehearsed; nothing was "
                f"sent. Way out: Session(db, rehearsal_limit=...), or say it outside a session"
            ) from None
        if self.given:
            rehearsal.run(("HSET", KEY, *(text for pair in self.given for text in pair)))
        for index, write in self.said:
            try:
                if isinstance(write.change, Opaque) and matters(write):
                    self.rewrites[index] = rehearsal.rewrite(write, index)
                else:
                    rehearsal.write(write)
            except Refused as error:
                raise Rejected(
                    f"{write} would fail: {error}; nothing was sent. Way out: read what is there first"
                ) from None
        part = None if self.epoch.from_nothing else self.part
        return pairs(self.kind, part, rehearsal.content(self.kind, part))
