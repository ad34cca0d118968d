"""Looks through all data of a model (decide, pure): its keys, its objects, its indexes, its counter."""

from __future__ import annotations

import functools
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from uowredis.commands.calls import Call
from uowredis.maintenance.finding import Finding, entries_by_key, there_call
from uowredis.maintenance.fingerprint import Unready, more_than
from uowredis.maintenance.looking import AT_ONCE, WRONG, Looking, Scan, asked, confirmed, one
from uowredis.maintenance.wrong_data import (
    CounterBehind,
    Dangling,
    Empty,
    Orphan,
    UndeclaredField,
    UndeclaredIndex,
    WrongType,
)
from uowredis.maintenance.wrong_entries import MissingEntry, StaleEntry, TwoHolders, VanishedEntry, has_entry, lookup
from uowredis.maintenance.wrong_places import Misplaced
from uowredis.maintenance.wrong_texts import wrong_pk, wrong_texts
from uowredis.plan.requests import Deciding
from uowredis.planner.content import Content, content_behind
from uowredis.schema.index import IndexEntry
from uowredis.schema.joint import ScoredEqualIndex
from uowredis.schema.keys import INSTANCE_HASH, RESERVED, word_of
from uowredis.schema.models import FieldSchema, Kind, ModelSchema
from uowredis.schema.ranges import RANGE_KEYS, spelled_score

#: An index entry with its field and the primary key in it.
_Entry: TypeAlias = tuple[FieldSchema, str, IndexEntry]

#: What scans the keys of an index, by their type.
_SCANS = {"set": "SSCAN", "zset": "ZSCAN"}

#: Where several calls' replies stand by call.
_Known: TypeAlias = dict[Call, Any]


@attrs.frozen
class Progress:
    """How far a check or a repair is.

    Attributes:
        model: its name.
        phase: what is looked at: "keys", "objects", "indexes".
        done: how many of them so far.
        total: of about how many.
    """

    model: str
    phase: str
    done: int
    total: int


@attrs.define(slots=False)
class Checking:
    """Looks through the data of *model*; it holds a batch at a time.

    Attributes:
        model: whose data.
        others: the other models of the database: their keys are none of this one's business.
        progress: told after each batch.
        fields: those whose indexes are looked at, all by default.
    """

    model: ModelSchema
    others: Sequence[ModelSchema] = ()
    progress: Callable[[Progress], object] = lambda _: None
    fields: Collection[FieldSchema] | None = None
    _highest: int = 0
    # Of values of unique fields: the hashes of those that no index knew, and of those that may have two holders.
    _unknown: array[int] = attrs.field(factory=lambda: array("q"))
    _suspect: set[int] = attrs.field(factory=set)

    @functools.cached_property
    def _indexed(self) -> dict[str, FieldSchema]:
        wanted = None if self.fields is None else {field.name for field in self.fields}
        return {field.name: field for field in self.model.indexed if wanted is None or field.name in wanted}

    @functools.cached_property
    def _looked_at(self) -> list[FieldSchema]:
        """Return the fields whose values are read: with an index, and where all is looked at, references and types."""
        whole, fields = self.fields is None, self.model.fields.values()
        return [each for each in fields if each.name in self._indexed or (whole and (each.relation or each.own))]

    def everything(self) -> Looking[None]:
        """Look at all there is."""
        yield from self.keys()
        yield from self.objects()
        yield from self.two_holders()
        yield from self.indexes()
        yield from self.counter()

    def fingerprint(self) -> Looking[None]:
        """Look at what the data was written with; a repair that came to its end has mended that."""
        flat = yield from one(("HGETALL", self.model.keys.fingerprint))
        if flat is not WRONG and (more := more_than(self.model, flat)):
            yield from confirmed([Unready(self.model, more)])

    def entries(self) -> Looking[None]:
        """Look at what concerns the indexes."""
        yield from self.objects()
        yield from self.two_holders()
        yield from self.indexes()

    # The keys.

    def keys(self) -> Looking[None]:
        """Look for data without primary key, for what is not declared, and for keys of another type."""
        yield from self._scan("keys", self.look_at_keys)

    def is_mine(self, key: str) -> bool:
        """Return whether *key*, one that begins as those of the model do, is not one of another model."""
        return not any(other.keys.owns(key) for other in self.others)

    def _scan(self, phase: str, look: Callable[[list[str]], Looking[None]]) -> Looking[None]:
        total = yield from one(("DBSIZE",))
        scan, done = Scan(("SCAN",), ("MATCH", self.model.keys.owned)), 0
        while not scan.over:
            keys = yield from scan.batch()
            done += len(keys)
            mine = [key for key in keys if self.is_mine(key)]
            if mine:
                yield from look(mine)
            self.progress(Progress(self.model.name, phase, done, total))

    def look_at_keys(self, keys: list[str]) -> Looking[None]:
        """Look at some *keys* of the model."""
        model = self.model
        types = yield from asked([("TYPE", key) for key in keys])
        candidates: list[Finding] = []
        stored: dict[str, list[tuple[str, str, str]]] = {}
        for key, found in zip(keys, types, strict=True):
            expected = self._expected(key)
            if (word := self._left_by(key)) is not None:
                candidates.append(UndeclaredIndex(model, word, key))
            elif expected is not None:
                if found not in (expected, "none"):
                    candidates.append(WrongType(model, key, expected))
            elif model.keys.word_in(key) not in RESERVED:
                pk, storage = model.keys.stored_at(key)
                if pk:
                    stored.setdefault(pk, []).append((storage, key, found))
        there = yield from self._there(stored)
        kinds = {storage: kind.value for storage, kind in model.storages}
        orphans: list[str] = []
        for pk, found_there in stored.items():
            for storage, key, found in found_there:
                declared = kinds.get(storage)
                if there[pk] and declared is not None:
                    if found not in (declared, "none"):
                        candidates.append(WrongType(model, key, declared))
                elif there[pk]:
                    candidates.append(UndeclaredField(model, pk, storage))
                elif self._may_be(pk) and declared is not None and (model.auto or found == declared):
                    orphans.append(pk)
                elif _is_index_key(pk, storage, found) and not (model.auto and self._may_be(pk)):
                    candidates.append(UndeclaredIndex(model, word_of(pk), key))
                else:
                    candidates.append(UndeclaredField(model, pk, storage))
        candidates += yield from self._orphans(dict.fromkeys(orphans), set(keys))
        yield from confirmed(candidates)

    def _expected(self, key: str) -> str | None:
        keys = self.model.keys
        if key == keys.collection:
            return "set"
        if (field := self.model.index_of(key)) is not None:
            if keys.is_none(field.stored, key):
                return "set"
            index = field.index_of(keys, key)
            return None if index is None else index.type_of(keys, key)
        return "string" if key == keys.counter else None

    def _left_by(self, key: str) -> str | None:
        """Return the field in whose place an index *key* stands that nobody keeps, None for any other key."""
        keys, field = self.model.keys, self.model.index_of(key)
        none = keys.none_of(key)
        if none is not None:
            return None if none in [each.stored for each in self.model.nones] else none
        return field.stored if field is not None and field.index_of(keys, key) is None else None

    def _may_be(self, pk: str) -> bool:
        return pk.isdecimal() if self.model.auto else True

    def _there(self, pks: Iterable[str]) -> Deciding[dict[str, bool]]:
        wanted = list(pks)
        if not wanted:
            return {}
        reply = yield from one(("SMISMEMBER", self.model.keys.collection, *wanted))
        return dict.fromkeys(wanted, False) if reply is WRONG else dict(zip(wanted, map(bool, reply), strict=True))

    def _orphans(self, pks: Iterable[str], batch: Collection[str]) -> Deciding[list[Finding]]:
        """Return the orphans among *pks* whose first key is in this *batch*: each is found once."""
        model = self.model
        stored = {pk: [(storage, model.keys.storage(pk, storage)) for storage, _ in model.storages] for pk in pks}
        types = yield from _known(("TYPE", key) for keys in stored.values() for _, key in keys)
        orphans: list[Orphan] = []
        for pk, keys in stored.items():
            there = [(storage, key) for storage, key in keys if types["TYPE", key] != "none"]
            if there and there[0][1] in batch:
                self._count(pk)
                orphans.append(Orphan(model, pk, tuple((storage, types["TYPE", key]) for storage, key in there)))
        unique = {orphan.pk: [each for each in orphan.contents if each.field.claiming] for orphan in orphans}
        known = yield from _known(
            call for contents in unique.values() for content in contents for call in content.calls
        )
        claims: dict[str, set[str]] = {}
        for pk, contents in unique.items():
            entered = ((each.field, key) for each in contents for key in entries_by_key(each, known))
            claims[pk] = {key for field, key in entered if field.claims(model.keys, key)}
        return [attrs.evolve(orphan, claims=tuple(sorted(claims[orphan.pk]))) for orphan in orphans]

    # The objects.

    def objects(self) -> Looking[None]:
        """Look at what each object holds: what its indexes lack, references to nothing, texts that are no values."""
        total = yield from one(("SCARD", self.model.keys.collection))
        scan, done = Scan(("SSCAN", self.model.keys.collection)), 0
        while not scan.over:
            pks = yield from scan.batch()
            done += len(pks)
            for start in range(0, len(pks), AT_ONCE):
                yield from self._objects(pks[start : start + AT_ONCE])
            self.progress(Progress(self.model.name, "objects", done, 0 if total is WRONG else total))

    def _objects(self, pks: list[str]) -> Looking[None]:
        model, whole = self.model, self.fields is None
        contents = [Content(model, field, pk) for pk in pks for field in self._looked_at]
        calls = [call for content in contents for call in content.calls]
        hashed = whole and any(storage == INSTANCE_HASH for storage, _ in model.storages)
        if whole and model.storages:
            calls += [Empty(model, pk).stored for pk in pks]
        if hashed:
            calls += [("HKEYS", model.keys.storage(pk, INSTANCE_HASH)) for pk in pks]
        known = yield from _known(calls)
        candidates: list[Finding] = []
        if whole:
            for pk in pks:
                self._count(pk)
                candidates += wrong_pk(model, pk)
                if model.shard is not None and model.shard_of(pk) != model.shard:
                    candidates.append(Misplaced(model, pk))
                candidates += self._of_object(pk, known, hashed)
        held = [(each, each.pairs(known[each.call])) for each in contents if known[each.call] is not WRONG]
        candidates += yield from self._missing([each for each, _ in held if _is_readable(each, known)], known)
        if whole:
            candidates += yield from self._dangling(held)
            for content, found in held:
                candidates += wrong_texts(model, content.field, content.pk, found)
        yield from confirmed(candidates)

    def _count(self, pk: str) -> None:
        if self.model.auto and pk.isdecimal():
            self._highest = max(self._highest, int(pk))

    def _of_object(self, pk: str, known: Mapping[Call, Any], hashed: bool) -> Iterator[Finding]:
        model = self.model
        if model.storages and not known[Empty(model, pk).stored]:
            yield Empty(model, pk)
        if hashed and (names := known["HKEYS", model.keys.storage(pk, INSTANCE_HASH)]) is not WRONG:
            for name in names:
                field = model.by_stored.get(name)
                if field is None or field.kind is not Kind.ENTRY:
                    yield UndeclaredField(model, pk, INSTANCE_HASH, name)

    def _missing(self, contents: Iterable[Content], found: _Known) -> Deciding[list[Finding]]:
        expected: list[tuple[Content, IndexEntry]] = [
            (content, entry)
            for content in contents
            if content.field.name in self._indexed
            for entry in content.entries(found)
        ]
        keys = self.model.keys
        calls = [lookup(entry) for _, entry in expected]
        counted = {("SCARD", key) for content, (key, _, _) in expected if content.field.claims(keys, key)}
        known = yield from _known([*calls, *counted])
        missing: list[Finding] = []
        for (content, entry), call in zip(expected, calls, strict=True):
            if known[call] is WRONG:
                continue
            key, is_missing = entry[0], not has_entry(entry, known[call])
            if is_missing:
                missing.append(MissingEntry(self.model, content.field, content.pk, *entry))
            if content.field.claims(keys, key):
                if known["SCARD", key] > (not is_missing):
                    self._suspect.add(hash(key))
                elif is_missing:
                    self._unknown.append(hash(key))
        return missing

    def _dangling(self, held: Iterable[tuple[Content, list[tuple[str, str]]]]) -> Deciding[list[Finding]]:
        references = [
            (Dangling(self.model, content.field, content.pk, value), there_call(content.field.relation.to, value))
            for content, found in held
            if content.field.relation is not None and content.field.relation.to is not None
            for value in dict.fromkeys(value for _, value in found)
        ]
        known = yield from _known(call for _, call in references)
        return [finding for finding, call in references if known[call] in (0, WRONG)]

    def two_holders(self) -> Looking[None]:
        """Look for unique values that two objects hold; only the suspect ones are looked at again."""
        before = None
        for number in sorted(self._unknown):
            if number == before:
                self._suspect.add(number)
            before = number
        self._unknown = array("q")
        if not self._suspect:
            return
        holders: dict[tuple[FieldSchema, str], list[str]] = {}
        scan = Scan(("SSCAN", self.model.keys.collection))
        unique = [field for field in self._indexed.values() if field.claiming]
        while not scan.over:
            pks = yield from scan.batch()
            contents = [Content(self.model, field, pk) for pk in pks for field in unique]
            known = yield from _known(call for content in contents for call in content.calls)
            for content in contents:
                if _is_readable(content, known):
                    for key in entries_by_key(content, known):
                        if hash(key) in self._suspect and content.field.claims(self.model.keys, key):
                            holders.setdefault((content.field, key), []).append(content.pk)
        candidates = [
            TwoHolders(self.model, field, key, tuple(sorted(set(found))))
            for (field, key), found in holders.items()
            if len(set(found)) > 1
        ]
        for start in range(0, len(candidates), AT_ONCE):
            yield from confirmed(candidates[start : start + AT_ONCE])

    # The indexes.

    def indexes(self) -> Looking[None]:
        """Look at each entry of each index: is its object there, and does it hold the value?"""
        yield from self._scan("indexes", self.look_at_indexes)

    def look_at_indexes(self, keys: list[str]) -> Looking[None]:
        """Look at what is in those of *keys* that are of indexes."""
        found = ((key, self.model.index_of(key)) for key in keys)
        scans = [
            (field, key, Scan((_SCANS[kind], key)))
            for key, field in found
            if field is not None and field.name in self._indexed and (kind := self._expected(key)) is not None
        ]
        replies = yield from asked([scan.next_call() for _, _, scan in scans])
        some: list[_Entry] = []
        for (field, key, scan), reply in zip(scans, replies, strict=True):
            some += self._entries(field, key, scan.take(reply))
            while not scan.over:
                if len(some) >= AT_ONCE:
                    yield from self._of_index(some)
                    some = []
                some += self._entries(field, key, (yield from scan.batch()))
        for start in range(0, len(some), AT_ONCE):
            yield from self._of_index(some[start : start + AT_ONCE])

    def _entries(self, field: FieldSchema, key: str, elements: Iterable[Any]) -> Iterator[_Entry]:
        """Yield the index entries that the *elements* of a *key* are, each with its field and primary key."""
        index = field.index_of(self.model.keys, key)
        for element in elements:
            member, score = (element, None) if isinstance(element, str) else (element[0], spelled_score(element[1]))
            pk = member if score is None or index is None else index.pk_in(member)
            yield field, pk, (key, member, score)

    def _of_index(self, entries: Sequence[_Entry]) -> Looking[None]:
        model = self.model
        there = yield from self._there(dict.fromkeys(pk for _, pk, _ in entries))
        contents = [content_behind(model, field, pk, key) for field, pk, (key, _, _) in entries]
        known = yield from _known(call for content in contents for call in content.calls)
        candidates: list[Finding] = []
        for (field, pk, entry), content in zip(entries, contents, strict=True):
            if not _is_readable(content, known) or entry in content.entries(known):
                continue
            fault = StaleEntry if there[pk] else VanishedEntry
            candidates.append(fault(model, field, pk, *entry))
        yield from confirmed(candidates)

    # The counter.

    def counter(self) -> Looking[None]:
        """Look whether the counter of primary keys is behind the highest that was met."""
        if self.model.auto and self._highest:
            yield from confirmed([CounterBehind(self.model, self._highest)])


def _is_index_key(before: str, last: str, found: str) -> bool:
    """Return whether a key that ends by *before* and *last* and is of the type *found* has the form of an index's."""
    scored = before.rpartition(":")[2] == ScoredEqualIndex.key
    return found == "set" or (found == "zset" and (scored or last in RANGE_KEYS))


def _is_readable(content: Content, known: _Known) -> bool:
    """Return whether all on which its index entries depend is of the type that it should be."""
    return all(known[call] is not WRONG for call in content.calls)


def _known(calls: Iterable[Call]) -> Deciding[_Known]:
    """Return the plain reply of each of *calls*, each asked once; ``WRONG`` where its key is of another type."""
    once = list(dict.fromkeys(calls))
    return dict(zip(once, (yield from asked(once)), strict=True))
