"""What moves when a field is stored under another name: of each object all of it, with its index entries (decide).

What is stored of one object, and its index entries, move in one transaction that watches them; so at any moment an
object has them under the one name or under the other, and whoever writes meanwhile is seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.identity import called
from uowredis.commands.replies import plain, printable
from uowredis.maintenance.fingerprint import changed
from uowredis.maintenance.mending import MOST_ARGUMENTS
from uowredis.plan.plan import Plan
from uowredis.plan.requests import Apply, Deciding, Release
from uowredis.plan.steps import Fetch, Question, Step
from uowredis.planner.content import Content
from uowredis.planner.index import Index
from uowredis.schema.fingerprint import Fingerprint
from uowredis.schema.index import IndexEntry
from uowredis.schema.keys import literal
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

Both: TypeAlias = Literal["leave", "old", "new"]


@attrs.frozen
class Left:
    """An object of which nothing was moved, and why; told one by one, for there may be many."""

    model: ModelSchema
    pk: str
    why: str

    def __str__(self) -> str:
        return f"{called(self.model, self.pk)}: {self.why}"


@attrs.frozen
class _Found:
    """What was found of one object that has something under the old name."""

    pk: str
    both: bool
    old: Any
    new: Any
    takers: tuple[str, ...] = ()


@attrs.define
class Renaming:
    """Moves what is stored of a field.

    Attributes:
        model: whose field it is.
        old: the field as it was stored.
        new: the field as it will be.
        both: which value stays where an object has two.
        dry_run: only look.
    """

    model: ModelSchema
    old: FieldSchema
    new: FieldSchema
    both: Both = "leave"
    dry_run: bool = False

    # What is read.

    def present(self, field: FieldSchema, pk: str) -> Call:
        """Return the call that tells whether an object has something in *field*."""
        key = self.model.keys.storage(pk, field.storage)
        return ("HEXISTS", key, field.stored) if field.kind is Kind.ENTRY else ("EXISTS", key)

    def _content(self, field: FieldSchema, pk: str) -> Call:
        return Content(self.model, field, pk).call

    def _entries(self, field: FieldSchema, pk: str, reply: Any) -> set[IndexEntry]:
        return (
            self.model.index_entries(field, Content(self.model, field, pk).pairs(reply), pk) if field.indexed else set()
        )

    # Moving.

    def moves(self, pks: Sequence[str]) -> Deciding[tuple[int, int, list[Left]] | None]:
        """Move what objects have under the old name; return how many were moved, how many dropped, and who was left.

        None where others changed one of them meanwhile: nothing was moved then.
        """
        found = yield from self._find(pks)
        steps: list[Step] = []
        left: list[Left] = []
        # Two: the field has another index under each name.
        leaving, entering = Index(), Index()
        moved = dropped = 0
        for one in found:
            keeps_new = one.both and (self.both == "new" or _same(self.old.kind, one.old, one.new))
            if one.both and not keeps_new and self.both == "leave":
                left.append(Left(self.model, one.pk, self._why_both(one)))
                continue
            if one.takers and not keeps_new:
                left.append(Left(self.model, one.pk, self._why_taken(one)))
                continue
            moved, dropped = moved + (not keeps_new), dropped + keeps_new
            steps += self._steps(one, keeps_new=keeps_new)
            before, after = self._entries(self.old, one.pk, one.old), self._entries(self.new, one.pk, one.old)
            if keeps_new:
                after = set()
            elif one.both:
                before |= self._entries(self.new, one.pk, one.new) - after
            leaving.take(self.model, self.old, before, ())
            entering.take(self.model, self.new, (), after)
        steps += [*leaving.steps(MOST_ARGUMENTS), *entering.steps(MOST_ARGUMENTS)]
        if steps and not self.dry_run:
            title = (
                f"{self.model.name}.{self.new.name} is stored as {self.new.stored!r}, no more as {self.old.stored!r}"
            )
            if (yield Apply(Plan(title, (), tuple(steps)))) is None:
                return None
        yield Release()
        return moved, dropped, left

    def _find(self, pks: Sequence[str]) -> Deciding[list[_Found]]:
        keys = self.model.keys
        calls = [
            call
            for pk in pks
            for call in (
                ("SISMEMBER", keys.collection, pk),
                self.present(self.old, pk),
                self.present(self.new, pk),
            )
        ]
        watch = [
            key
            for pk in pks
            for key in (*(keys.storage(pk, each.storage) for each in (self.old, self.new)), keys.guard(pk))
        ]
        replies = yield from _asked(calls, watch)
        marks = zip(pks, replies[::3], replies[1::3], replies[2::3], strict=True)
        there = [(pk, bool(new)) for pk, is_there, old, new in marks if is_there and old]
        needed = self.old.indexed or self.old.kind is Kind.ENTRY
        contents = iter(
            (
                yield from _asked(
                    [
                        self._content(field, pk)
                        for pk, both in there
                        for field in ((self.old, self.new) if both else (self.old,) if needed else ())
                    ]
                )
            )
        )
        found = [
            _Found(pk, both, next(contents) if needed or both else None, next(contents) if both else None)
            for pk, both in there
        ]
        return (yield from self._with_takers(found)) if self.new.unique else found

    def _with_takers(self, found: list[_Found]) -> Deciding[list[_Found]]:
        """Return *found* with the others that have one of their unique values under the new name already."""
        claims = [sorted(key for key, _, _ in self._entries(self.new, one.pk, one.old)) for one in found]
        keys = list(dict.fromkeys(itertools.chain.from_iterable(claims)))
        replies = yield from _asked([("SMEMBERS", key) for key in keys], keys)
        holders = dict(zip(keys, replies, strict=True))
        # Two of one batch may claim one value, too: the data may hold it twice.
        claimed: dict[str, str] = {}
        taken = []
        for one, wanted in zip(found, claims, strict=True):
            takers = {pk for key in wanted for pk in (*holders[key], claimed.get(key, one.pk)) if pk != one.pk}
            if not takers:
                claimed |= dict.fromkeys(wanted, one.pk)
            taken.append(attrs.evolve(one, takers=tuple(sorted(takers))))
        return taken

    def _steps(self, one: _Found, *, keeps_new: bool) -> Iterator[Step]:
        old, new = (self.model.keys.storage(one.pk, field.storage) for field in (self.old, self.new))
        why = f"{self.model.name}.{self.new.name} by its new name"
        if self.old.kind is Kind.ENTRY:
            if not keeps_new:
                yield Step(("HSET", new, self.new.stored, one.old), why)
            yield Step(("HDEL", old, self.old.stored), why)
        elif keeps_new:
            yield Step(("UNLINK", old), why)
        else:
            yield Step(("RENAME" if one.both else "RENAMENX", old, new), why)

    def _why_both(self, one: _Found) -> str:
        return (
            f"{self.new.name} is {_shown(one.old)} under {self.old.stored!r}, and {_shown(one.new)} under "
            f"{self.new.stored!r}; nothing was moved. Way out: both='old' where those who write the old name are "
            f"right, or both='new'"
        )

    def _why_taken(self, one: _Found) -> str:
        return (
            f"{self.new.name} is unique, and {_shown(one.old)} is held by {', '.join(map(printable, one.takers))}, "
            f"too; nothing was moved. Way out: give one of them another value"
        )

    def renamed(self) -> Deciding[None]:
        """Say in the fingerprint that the field has its new name."""

        def change(found: Fingerprint) -> tuple[Fingerprint, tuple[str, ...]]:
            old, new = self.old.stored, self.new.stored
            return ({new: found[old]}, (old,)) if old in found else ({}, ())

        yield from changed(self.model, f"{self.new.name} is stored as {self.new.stored!r}", change)

    # The index that is left.

    def index_pattern(self) -> str:
        """Return the pattern of the keys of the old index."""
        return f"{literal(self.model.keys.index_opening(self.old.stored))}*"

    def sweeps(self, key: str, members: Sequence[str]) -> Deciding[int | None]:
        """Take *members* out of the old index *key* where their objects do not have its value there.

        Returns:
            How many; None where others changed one of the objects meanwhile.
        """
        keys = self.model.keys
        index = self.old.index_of(keys, key)
        pks = members if index is None else [index.pk_in(member) for member in members]
        calls = [self._content(self.old, pk) for pk in pks]
        watch = [each for pk in pks for each in (keys.storage(pk, self.old.storage), keys.guard(pk))]
        replies = yield from _asked(calls, watch)
        stale = [
            member
            for member, pk, reply in zip(members, pks, replies, strict=True)
            if (key, member) not in {(each, held) for each, held, _ in self._entries(self.old, pk, reply)}
        ]
        if stale and not self.dry_run:
            command = "SREM" if index is None or index.redis_type == "set" else "ZREM"
            step = Step((command, key, *stale), f"index {self.model.name}.{self.new.name}, stale")
            if (yield Apply(Plan("stale entries", (), (step,)))) is None:
                return None
        yield Release()
        return len(stale)

    def moves_none(self, key: str, pks: Sequence[str]) -> Deciding[int | None]:
        """Take *pks* out of *key*, of those without a value under the old name, into that of the new one.

        Who has got a value meanwhile, or is not there, is only taken out.

        Returns:
            0, since nothing of it is wrong; None where others changed one of the objects meanwhile.
        """
        keys, fields = self.model.keys, (self.old, self.new)
        there = [("SISMEMBER", keys.collection, pk) for pk in pks]
        contents = [self._content(field, pk) for pk in pks for field in fields]
        watch = [keys.storage(pk, field.storage) for pk in pks for field in fields] + [keys.guard(pk) for pk in pks]
        replies = yield from _asked([*there, *contents], watch)
        leaving, entering = Index(), Index()
        found = zip(pks, replies, replies[len(pks) :: 2], replies[len(pks) + 1 :: 2], strict=False)
        for pk, is_there, old, new in found:
            leaving.take(self.model, self.old, ((key, pk, None),), ())
            held = (*Content(self.model, self.old, pk).pairs(old), *Content(self.model, self.new, pk).pairs(new))
            if is_there and not held:
                entering.take(self.model, self.new, (), self._entries(self.new, pk, new))
        steps = (*leaving.steps(MOST_ARGUMENTS), *entering.steps(MOST_ARGUMENTS))
        if steps and not self.dry_run and (yield Apply(Plan("objects without a value", (), steps))) is None:
            return None
        yield Release()
        return 0


def _asked(calls: Sequence[Call], watch: Sequence[str] = ()) -> Deciding[list[Any]]:
    """Return the plain replies to *calls*, after *watch* is watched."""
    if not calls:
        return []
    questions = tuple(Question(call, "before a rename") for call in calls)
    return [plain(reply) for reply in (yield Fetch(tuple(dict.fromkeys(watch)), questions))]


def _same(kind: Kind, old: Any, new: Any) -> bool:
    """Return whether two replies to the read of a whole field say the same."""
    if kind is Kind.SET:
        return set(old) == set(new)
    if kind is Kind.HASH:
        return dict(zip(old[::2], old[1::2], strict=True)) == dict(zip(new[::2], new[1::2], strict=True))
    return bool(old == new)


def _shown(content: Any) -> str:
    shown = repr(content)
    return shown if len(shown) <= 100 else f"{shown[:100]}... ({len(content):,} in all)"
