"""``rename``: what a field is stored as becomes another name, object by object, beside those who use the data (do).

What was moved is not found again, so that a run that was ended anywhere is started again as it was.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import attrs

from uowredis.commands.arguments import integer
from uowredis.commands.calls import Call
from uowredis.database import RedisDatabase
from uowredis.exceptions import ArgumentError, ImplementationError
from uowredis.executor.drive import drive
from uowredis.executor.line import Line
from uowredis.maintenance.face import check_blocks
from uowredis.maintenance.looking import Scan, asked
from uowredis.maintenance.renaming import Both, Left, Renaming
from uowredis.model.declaration import MetaRedisModel, database_of, schema_of
from uowredis.plan.requests import Deciding, Pause, Release
from uowredis.schema.keys import literal, why_not_stored, word_of
from uowredis.schema.models import ModelSchema
from uowredis.session.commit import back_off

T = TypeVar("T")

#: Objects that one transaction moves, and keys that it watches of each, at most.
_AT_ONCE, _WATCHED_OF_EACH = 100, 4

#: How often one object is tried before it waits for the next pass.
_ATTEMPTS = 20


@attrs.frozen
class Renamed:
    """What a run has done.

    Attributes:
        moved: objects whose value is under the new name now, or would be, of a dry run.
        dropped: objects that had the same under both names, or where the new one was to be kept.
        left: objects of which nothing was moved; each was told.
        busy: objects that others kept changing, in the last pass.
        stale: entries of the old index that were right of no object, and are gone.
        passes: how often all objects were looked at.
    """

    moved: int = 0
    dropped: int = 0
    left: int = 0
    busy: int = 0
    stale: int = 0
    passes: int = 0

    @property
    def is_done(self) -> bool:
        """Whether the last pass found nothing under the old name."""
        return not self.left and not self.busy


def rename(
    model: MetaRedisModel,
    field: str,
    new: str,
    *,
    old: str | None = None,
    both: Both = "leave",
    dry_run: bool = False,
    passes: int = 10,
    tell: Callable[[Left], object] | None = None,
    progress: Callable[[int, int, Renamed], object] | None = None,
) -> Renamed:
    """Store a field of all objects under another name (SSCAN; HSET and HDEL, or RENAMENX; SREM and SADD of its index).

    Objects are moved one by one, each whole, beside those who use the data; whatever others write meanwhile is seen,
    and moved by this pass or the next. It may be ended at any moment and started again.

    Args:
        model: whose field it is.
        field: its name in Python.
        new: its new name in Redis.
        old: the one it has there; what is declared by default.
        both: what stays of an object that has different values under both names: none is moved ("leave"), the value
            under the "old" name, or that under the "new" one.
        dry_run: only look, and count.
        passes: how often all objects are looked at, at most, where others keep writing under the old name.
        tell: called with each object that was left as it is.
        progress: called with how many objects of the pass were looked at, how many there are, and what was done by now.

    Raises:
        ImplementationError: for a field that is not there, or a name that cannot be.
        ArgumentError: where it has that name already, or for an option that cannot be.
        Unreachable: where the server is not there; what was moved stays moved.
        OutcomeUnknown: where the connection was lost around EXEC; start it again.
    """
    if both not in ("leave", "old", "new"):
        raise ArgumentError(f"rename(both=...) is 'leave', 'old' or 'new', not {both!r}")
    most = int(integer(passes, "rename(passes=...)", 1))
    check_blocks(model, "rename")
    schema = schema_of(model)
    database = database_of(model)
    assert database is not None
    database._check_placed(schema)
    if schema.facets is not None:
        raise ImplementationError(
            f"{schema.name} is sharded, and rename() moves what is in one place. Way out: a new field beside "
            f"{field!r}, filled from that object by object; or declare it as stored_as={field!r}"
        )
    renaming = renaming_of(database, schema, field, new, old, both, dry_run=dry_run)
    return _Run(database, renaming, tell, progress).of(1 if dry_run else most)


def renaming_of(
    database: RedisDatabase, schema: ModelSchema, name: str, new: str, old: str | None, both: Both, *, dry_run: bool
) -> Renaming:
    """Return the checked renaming.

    Raises:
        ImplementationError: for a field that is not there, or a name that cannot be.
        ArgumentError: where nothing is to be renamed.
    """
    field = schema.fields.get(name)
    if field is None:
        reason = "is its primary key, which has no name in Redis" if name == schema.pk_field else "is not declared"
        raise ImplementationError(f"{schema.name}.{name} {reason}. Way out: one of {', '.join(schema.fields)}")
    if new == (field.stored if old is None else old):
        declared = "by its declaration" if old is None else "and would be afterwards"
        raise ArgumentError(
            f"{schema.name}.{name} is stored as {new!r} {declared}. Way out: --from (old=...), the name that the data "
            f"has"
        )
    if field.owners:
        owners = ", ".join(each.name for each in field.owners)
        raise ImplementationError(
            f"{schema.name}.{name} is in an index of several fields, that of {owners}, which no rename keeps right. "
            f"Way out: rename it while the model is declared without that index, then declare it again, and "
            f"rebuild({schema.name})"
        )
    old = field.stored if old is None else old
    for stored in (old, new):
        reason_not = why_not_stored(stored, field=True)
        others = [each for each in schema.fields.values() if each is not field and stored in (each.name, each.stored)]
        if reason_not is None and (others or stored == schema.pk_field):
            reason_not = f"{schema.name}.{others[0].name if others else schema.pk_field} is called so"
        if reason_not is not None:
            raise ImplementationError(
                f"{schema.name}.{name} cannot be stored as {stored!r}: {reason_not}. Way out: another name"
            )
    before, after = (attrs.evolve(field, stored=stored) for stored in (old, new))
    for named, other in itertools.product((before, after), database.models):
        seen = attrs.evolve(schema, fields={**schema.fields, name: named})
        if other._schema is not schema and seen.may_share(other._schema):
            raise ImplementationError(
                f"{schema.name}.{name} cannot be stored as {named.stored!r}: keys of {other.__name__} begin with "
                f"{other._schema.keys.prefix!r}. Way out: another name"
            )
    return Renaming(schema, before, after, both, dry_run)


@attrs.define
class _Run:
    """One run over all objects."""

    database: RedisDatabase
    renaming: Renaming
    tell: Callable[[Left], object] | None
    progress: Callable[[int, int, Renamed], object] | None
    done: Renamed = Renamed()
    line: Line = attrs.field(init=False)
    _told: set[str] = attrs.field(init=False, factory=set)

    @line.default
    def _line(self) -> Line:
        database = self.database
        return Line(lambda: database._executor)

    def of(self, passes: int) -> Renamed:
        """Look at all objects, again until nothing is found, or as often as *passes*; return what was done."""
        try:
            self._check_pks()
            for _ in range(passes):
                before = self.done.moved + self.done.dropped
                self._pass()
                if not self.done.busy and before == self.done.moved + self.done.dropped:
                    break
            else:
                # The last pass has moved something: whether something is left nobody has looked.
                if not self.renaming.dry_run and not self.done.busy:
                    self.done = attrs.evolve(self.done, busy=self._count_left())
            if self.renaming.old.indexed:
                self._sweep()
            if self.done.is_done and not self.renaming.dry_run:
                drive(self.renaming.renamed(), self.line.answer)
            return self.done
        finally:
            self.line.drop()

    def _ask(self, *calls: Call) -> list[Any]:
        return drive(asked(calls), self.line.answer)

    def _scanned(self, call: Call, options: Call = ()) -> Iterator[list[Any]]:
        """Yield what a scanning command finds, as it comes."""
        scan = Scan(call, options)
        while not scan.over:
            yield drive(scan.batch(), self.line.answer)

    def _pks(self, *options: str) -> Iterator[list[str]]:
        return self._scanned(("SSCAN", self.renaming.model.keys.collection), options)

    def _check_pks(self) -> None:
        """Check that no chosen primary key stands where the keys of the old index would be, or those of the new one.

        Raises:
            ImplementationError: naming one that does.
        """
        model = self.renaming.model
        if model.auto or not self.renaming.new.indexed:
            return
        for field in (self.renaming.old, self.renaming.new):
            for pks in self._pks("MATCH", f"{literal(field.stored)}*"):
                for pk in pks:
                    if word_of(pk) == field.stored:
                        raise ImplementationError(
                            f"{model.name}.{field.name} cannot be stored as {field.stored!r}: there is the primary key "
                            f"{pk!r}, whose keys begin as those of the index would. Way out: another name"
                        )

    def _with_old(self, pks: Sequence[str]) -> list[str]:
        marks = self._ask(*(self.renaming.present(self.renaming.old, pk) for pk in pks)) if pks else []
        return [pk for pk, there in zip(pks, marks, strict=True) if there]

    def _count_left(self) -> int:
        return sum(len(self._with_old(pks)) for pks in self._pks()) - self.done.left

    def _pass(self) -> None:
        (total,) = self._ask(("SCARD", self.renaming.model.keys.collection))
        self.done = attrs.evolve(self.done, passes=self.done.passes + 1, left=0, busy=0)
        seen = 0
        for pks in self._pks():
            for batch in _batches(self._with_old(pks), self._at_once()):
                self._move(batch)
            seen += len(pks)
            if self.progress is not None:
                self.progress(seen, total, self.done)

    def _at_once(self) -> int:
        most = self.database._executor.most_watched
        return _AT_ONCE if most is None else max(1, min(_AT_ONCE, most // _WATCHED_OF_EACH))

    def _move(self, pks: list[str]) -> None:
        waiting = [pks]
        while waiting:
            batch = waiting.pop()
            found = self._drive(functools.partial(self.renaming.moves, batch), len(batch))
            if found is None and len(batch) > 1:
                middle = len(batch) // 2
                waiting += [batch[middle:], batch[:middle]]
            elif found is None:
                self.done = attrs.evolve(self.done, busy=self.done.busy + 1)
            else:
                moved, dropped, left = found
                self.done = attrs.evolve(
                    self.done,
                    moved=self.done.moved + moved,
                    dropped=self.done.dropped + dropped,
                    left=self.done.left + len(left),
                )
                self._tell(left)

    def _tell(self, left: Iterable[Left]) -> None:
        """Tell each object once, though every pass finds it."""
        for one in left if self.tell is not None else ():
            if one.pk not in self._told:
                self._told.add(one.pk)
                assert self.tell is not None
                self.tell(one)

    def _drive(self, turns: Callable[[], Deciding[T]], size: int) -> T | None:
        return drive(_again(turns, size), self.line.answer)

    def _sweep(self) -> None:
        """Take out of the old index what is right of no object: what its values became nobody has said there."""
        renaming = self.renaming
        for kind, scan in (("set", "SSCAN"), ("zset", "ZSCAN")):
            for keys in self._scanned(("SCAN",), ("MATCH", renaming.index_pattern(), "TYPE", kind)):
                for key in keys:
                    for found in self._scanned((scan, key)):
                        members = found if kind == "set" else [member for member, _ in found]
                        for batch in _batches(members, self._at_once()):
                            self._sweep_of(renaming.sweeps, key, batch)
        if renaming.old.none:
            key = renaming.model.keys.none(renaming.old.stored)
            for pks in self._scanned(("SSCAN", key)):
                for batch in _batches(pks, self._at_once()):
                    self._sweep_of(renaming.moves_none, key, batch)

    def _sweep_of(self, sweeps: Callable[[str, Sequence[str]], Deciding[int | None]], key: str, pks: list[str]) -> None:
        waiting = [pks]
        while waiting:
            batch = waiting.pop()
            found = self._drive(functools.partial(sweeps, key, batch), len(batch))
            if found is None and len(batch) > 1:
                waiting += [[pk] for pk in batch]
            self.done = attrs.evolve(self.done, stale=self.done.stale + (found or 0))


def _again(turns: Callable[[], Deciding[T]], size: int) -> Deciding[T | None]:
    """Return what *turns* return; of one object they are tried again where others changed it."""
    for attempt in range(1 if size > 1 else _ATTEMPTS):
        if attempt:
            yield Pause(back_off(attempt))
        found = yield from turns()
        if found is not None:
            return found
    yield Release()
    return None


def _batches(pks: Iterable[str], most: int) -> Iterator[list[str]]:
    each = iter(pks)
    while batch := list(itertools.islice(each, most)):
        yield batch
