"""One key's part in a plan: what must be read of it, and what the pending commands make of it (decide).

Where every change can be told from its arguments, nothing is rehearsed and nothing is read but what the index must
forget. Else what the commands name is read under watch, and the commands are tried in the rehearsal. Which of it is
the case its :class:`KeyForm` says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Opaque, Removed, Replaced, named
from uowredis.commands.commands import matters
from uowredis.commands.journal import Epoch, Life, Placed
from uowredis.exceptions import ArgumentError, Rejected
from uowredis.plan.steps import UNKNOWN
from uowredis.planner.content import Pairs, Part, pairs, read_call
from uowredis.planner.form import KeyForm, values_told
from uowredis.planner.rehearsal import KEY, Refused, Rehearsal, Rewrite, TooLarge
from uowredis.schema.index import IndexEntry
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import FieldSchema, Kind


class Delta(NamedTuple):
    """An indexed field before and after, as index entries.

    Attributes:
        before: entries that may be in the index now: those that leave it, and those that nobody says anything about.
        after: entries that will be in it; what was said enters, also where it should be there, for it may not be.
    """

    life: Life
    field: FieldSchema
    before: Collection[IndexEntry]
    after: Collection[IndexEntry]


@attrs.define(eq=False)
class KeyPart:
    """All that happens to one key of one object in one epoch.

    Attributes:
        call: the read, where there is one.
        rewrites: what is sent in place of an opaque write, by position.
        held: what the fields in indexes of several held before and will hold, after :meth:`deltas`; None where none is
            in one.
    """

    life: Life
    epoch: Epoch
    form: KeyForm
    call: Call | None = attrs.field(init=False)
    rewrites: dict[int, Rewrite] = attrs.field(init=False)
    held: list[tuple[FieldSchema, Pairs, Pairs]] | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        life, form = self.life, self.form
        self.call, self.held = None, [] if form.joint else None
        if form.names != () or form.by_members:
            assert life.identity.pk is not None
            part = self._members() if form.by_members else form.names
            self.call = read_call(form.kind, life.model.keys.storage(life.identity.pk, form.storage), part)

    @property
    def _part(self) -> Part:
        """What is read of the key: None for the whole, () for nothing."""
        return self._members() if self.form.by_members else self.form.names

    def _said(self) -> list[Placed]:
        return self.epoch.said(self.form.storage)

    def _given(self) -> Pairs:
        """Return the pairs that the constructor put there."""
        create = self.epoch.create
        return list(create.pairs) if create is not None and self.form.storage == INSTANCE_HASH else []

    def _members(self) -> tuple[str, ...]:
        """Return what constructor and writes name, in order."""
        later = (name for _, write in self._said() for name in named(write.change) or ())
        return tuple(dict.fromkeys([*(entry for entry, _ in self._given()), *later]))

    def claims(self) -> Iterator[tuple[Life, FieldSchema, str]]:
        """Yield the unique values that are taken, where the arguments tell them."""
        form = self.form
        if form.told is not None:
            for (field, _), value in zip(form.indexed, values_told(form, self.epoch), strict=True):
                if field.unique and value is not None:
                    yield self.life, field, value
        else:
            for field, found in self._by_field(self._after()):
                if field.unique:
                    yield from ((self.life, field, value) for _, value in sorted(found))

    def will_hold(self) -> Iterator[tuple[str, Pairs]]:
        """Yield what the fields in indexes of several will hold, by name, where the arguments tell it."""
        if self.form.told is not None:
            values = values_told(self.form, self.epoch)
            found = ((field, _one(value)) for (field, _), value in zip(self.form.indexed, values, strict=True))
        else:
            found = ((field, held) for field, held in self._by_field(self._after()))
        yield from ((field.name, held) for field, held in found if field.owners)

    def deltas(self, rehearsal: Rehearsal, reply: Any) -> Iterable[tuple[Any, ...]]:
        """Return what a ``Delta`` is made of for each indexed field, where *reply* answers what is read.

        Raises:
            Rejected: where a command would fail on what it meets.
            ArgumentError: for a value that an index cannot hold.
        """
        return self._of_any(rehearsal, reply) if self.form.told is None else self._of_told(reply)

    def _of_any(self, rehearsal: Rehearsal, reply: Any) -> Iterator[tuple[Any, ...]]:
        was, will = self._before_and_after(rehearsal, reply)
        if self.epoch is not self.life:
            return
        life, pk, keys = self.life, self.life.reference, self.life.model.keys
        from_nothing = self.epoch.from_nothing
        for (field, there), (_, will_be) in zip(self._by_field(was), self._by_field(will), strict=True):
            # Of what was not there nothing is in the index.
            before = set() if from_nothing else field.entries(keys, there, pk)
            if before or field.picky:
                restated = self._restated(field, will_be)
                if field.picky:
                    _check(life, field, restated)
                before -= field.entries(keys, restated, pk)
            if self.held is not None and field.owners:
                self.held.append((field, [] if from_nothing else there, will_be))
            yield life, field, before, field.entries(keys, will_be, pk)

    def _of_told(self, reply: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        life, form, from_nothing = self.life, self.form, self.epoch.from_nothing
        pk, keys, indexed = life.reference, life.model.keys, form.indexed
        replies = reply if isinstance(reply, list) else [reply] * len(indexed)
        for (field, _), now, was in zip(indexed, values_told(form, self.epoch), replies, strict=True):
            if field.picky and now is not None:
                _check(life, field, [("", now)])
            if self.held is not None and field.owners:
                self.held.append((field, [] if from_nothing else _one(was), _one(now)))
            if was is not None or now is not None or field.none:
                before = () if was == now or from_nothing else field.entries_of_one(keys, was, pk)
                found.append((life, field, before, field.entries_of_one(keys, now, pk)))
        return found

    def _will(self) -> dict[str, str | None]:
        """Return what each thing named will hold, where the changes tell it, None for nothing."""
        will: dict[str, str | None] = dict(self._given())
        for _, write in self._said():
            change = write.change
            if type(change) is Replaced:
                will.update(change.values)
            elif type(change) is Added:
                will.update(zip(change.values, change.values, strict=True))
            elif type(change) is Removed:
                if change.members is None:
                    will.clear()
                else:
                    will.update(dict.fromkeys(change.members))
        return will

    def _by_field(self, found: Pairs) -> Iterator[tuple[FieldSchema, Pairs]]:
        """Yield the indexed fields with what of *found* is theirs."""
        for field, name in self.form.indexed:
            yield field, [(entry, value) for entry, value in found if entry == name] if name else found

    def _after(self) -> Pairs:
        """Return what will be there of what was named, where the changes tell it."""
        single = self.form.kind in (Kind.STRING, Kind.HASH)
        return [(entry if single else "", value) for entry, value in self._will().items() if value is not None]

    def _restated(self, field: FieldSchema, after: Pairs) -> Pairs:
        """Return what of *after* was said, or follows from what was said, whether it was there before or not."""
        if field.single:
            return after
        said = {argument for _, write in self._said() for argument in write.args}.union(self._members())
        return [(entry, value) for entry, value in after if value in said or entry in said]

    def _before_and_after(self, rehearsal: Rehearsal, reply: Any) -> tuple[Pairs, Pairs]:
        """Return what the index must forget, or all there is where it was read, and what will be there."""
        form = self.form
        if form.rehearsed:
            after = self._rehearse(rehearsal, reply)
            return [] if self.call is None else pairs(form.kind, self._part, reply), after
        after = self._after()
        if self.call is not None:
            return pairs(form.kind, self._part, reply), after
        members = self._members()
        if self.epoch.from_nothing or form.kind is Kind.HASH or len(after) == len(members):
            return [], after
        kept = {value for _, value in after}
        return [("", value) for value in members if value not in kept], after

    def _rehearse(self, rehearsal: Rehearsal, reply: Any) -> Pairs:
        """Try the writes on what *reply* says was there; return what will be there.

        Raises:
            Rejected: where Redis would refuse one of them, or the key is too large to try it.
        """
        kind, said, from_nothing = self.form.kind, self._said(), self.epoch.from_nothing
        part = None if from_nothing else self._part
        self.rewrites = {}
        if reply is UNKNOWN:
            return pairs(kind, self._part, reply)
        try:
            if from_nothing:
                rehearsal.clear()
            else:
                rehearsal.load(kind, part, reply)
        except TooLarge as error:
            raise Rejected(
                f"{said[-1][1]} depends on what is there: {error} members, more than are rehearsed; nothing was "
                f"sent. Way out: Session(db, rehearsal_limit=...), or say it outside a session"
            ) from None
        if given := self._given():
            rehearsal.run(("HSET", KEY, *(text for pair in given for text in pair)))
        for index, write in said:
            try:
                if isinstance(write.change, Opaque) and matters(write):
                    self.rewrites[index] = rehearsal.rewrite(write, index)
                else:
                    rehearsal.write(write)
            except Refused as error:
                raise Rejected(
                    f"{write} would fail: {error}; nothing was sent. Way out: read what is there first"
                ) from None
        return pairs(kind, part, rehearsal.content(kind, part))


def _one(value: str | None) -> Pairs:
    """Return what a field holds that holds one *value*, or None."""
    return [] if value is None else [("", value)]


def _check(life: Life, field: FieldSchema, found: Pairs) -> None:
    """Check that what is *found* can be indexed.

    Raises:
        ArgumentError: where it cannot.
    """
    keys = life.model.keys
    for entry, value in found:
        for index in field.indexes:
            try:
                index.check(keys, entry, value)
            except ValueError as error:
                shown = value if len(value) <= 100 else f"{value[:100]}..."
                raise ArgumentError(
                    f"{life}.{field.name} is indexed and cannot hold {shown!r}: {error}; nothing was written. Way out: "
                    f"another value"
                ) from error
