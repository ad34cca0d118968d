"""Forms: what is the same whenever such commands meet such an object, worked out once (decide, pure).

What must be read of a key, and whether anything follows, depends on the model, the names and the kinds of change, never
on the values. A form is worked out by the rules below when it is first met, and kept with the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from uowredis.commands.changes import Added, Change, Computed, Opaque, Removed, Replaced, named, needs_content
from uowredis.commands.commands import matters, may_fail, touched_fields
from uowredis.commands.journal import Epoch, Placed
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

#: Which write of those on a key, or which values of the constructor, and which of its values it is.
Told: TypeAlias = tuple[int, int]
_ENTRIES, _STRINGS = -1, -2

#: So many forms of one model are kept, and none of so much that is said.
_MOST_KEPT, _LONGEST = 1_000, 100


@attrs.frozen(eq=False)
class KeyForm:
    """What is the same whenever such changes are made to such a key.

    Attributes:
        storage: the last part of the key.
        kind: the Redis type of the key.
        indexed: the fields concerned that have an index, each with the name that it has in the key, '' for no name.
        rehearsed: the writes must be tried.
        told: where they need not, and each field holds one value at most: where the arguments tell that of each of
            *indexed*; None otherwise.
        names: the entries that are read of a hash; None: all there is, as a whole.
        by_members: what is read is what the commands name.
        guarded: what is read must not change: not where all fields concerned are ``lockable=False``.
        label: the fields concerned, in words.
        unique: whether one of them is.
        joint: whether one of them is in an index of several fields.
    """

    storage: str
    kind: Kind
    indexed: tuple[tuple[FieldSchema, str], ...]
    rehearsed: bool
    told: tuple[Told | None, ...] | None
    names: tuple[str, ...] | None
    by_members: bool
    guarded: bool
    label: str
    unique: bool
    joint: bool

    @classmethod
    def of(cls, model: ModelSchema, epoch: Epoch, storage: str) -> KeyForm:
        """Work out the form of what happens to *storage* in *epoch*."""
        said = [write for _, write in epoch.said(storage)]
        in_hash = storage == INSTANCE_HASH
        kind = Kind.HASH if in_hash else model.by_stored[storage].kind
        given = epoch.create.entries if epoch.create is not None and in_hash else ()
        members = dict.fromkeys([*given, *(name for write in said for name in named(write.change) or ())])
        touched = list(touched_fields(model, storage, members))
        indexed = [field for field in touched if field.indexed]
        # Where an index needs all values of a field, not those alone that are named.
        spread = any((field.owners or field.none) and not field.single for field in indexed)
        spread = spread and not epoch.from_nothing
        # Where two values may share an entry, what is left of the others tells whether it stays.
        lossy = any(field.lossy for field in indexed)
        rehearsed = any(needs_content(write.change) and (matters(write) or may_fail(write)) for write in said)
        rehearsed = rehearsed or (lossy and any(type(write.change) is not Added for write in said))
        rehearsed = rehearsed or spread
        whole = any(named(write.change) is None for write in said)
        names: tuple[str, ...] | None = ()
        by_members = False
        if epoch.from_nothing:
            pass
        elif rehearsed:
            by_members = not (whole or lossy or spread or kind in (Kind.LIST, Kind.STRING))
            names = () if by_members else None
        elif in_hash:
            names = tuple(field.stored for field in indexed)
        elif indexed and (whole or kind is Kind.STRING):
            names = None
        elif indexed:
            by_members = kind is Kind.HASH
        told = _told(epoch, storage) if not rehearsed and (kind is Kind.STRING or (in_hash and not whole)) else None
        read = touched if rehearsed else indexed
        entries = tuple((field, field.stored if in_hash else "") for field in indexed)
        return cls(
            storage,
            kind,
            entries,
            rehearsed,
            None if told is None else tuple(told.get(entry) for _, entry in entries),
            names,
            by_members,
            any(field.lockable for field in read),
            ", ".join(f"{model.name}.{field.name}" for field in indexed or touched),
            any(field.unique for field in indexed),
            any(field.owners for field in indexed),
        )


def _told(epoch: Epoch, storage: str) -> dict[str, Told | None]:
    """Return where *epoch* tells what each thing named in *storage* will hold, None for nothing."""
    found: dict[str, Told | None] = {}
    if (create := epoch.create) is not None and storage == INSTANCE_HASH:
        found = {entry: (_ENTRIES, at) for at, entry in enumerate(create.entries)}
    elif create is not None:
        found |= [("", (_STRINGS, at)) for at, name in enumerate(create.strings) if name == storage]
    for number, (_, write) in enumerate(_placed(epoch, storage)):
        change = write.change
        if isinstance(change, Replaced):
            found |= {entry: (number, at) for at, (entry, _) in enumerate(change.values)}
        elif isinstance(change, Removed):
            found = {} if change.members is None else found | dict.fromkeys(change.members)
    return found


def _placed(epoch: Epoch, storage: str) -> Sequence[Placed]:
    """Return the writes on *storage* that are no values of the constructor."""
    if epoch.create is None or not epoch.create.writes:
        return epoch.writes.get(storage, ())
    given = [(epoch.index, write) for write in epoch.create.writes if write.storage == storage]
    return [*given, *epoch.writes.get(storage, ())]


def values_told(form: KeyForm, epoch: Epoch) -> list[str | None]:
    """Return what each of the fields of *form*, whose arguments tell it, will hold after *epoch*."""
    assert form.told is not None
    create, writes = epoch.create, _placed(epoch, form.storage)
    values: list[str | None] = []
    for told in form.told:
        if told is None:
            values.append(None)
            continue
        number, at = told
        if number >= 0:
            values.append(writes[number][1].change.values[at][1])  # type: ignore[union-attr]  # it is Replaced
        else:
            assert create is not None
            values.append((create.in_entries if number == _ENTRIES else create.in_strings)[at])
    return values


@attrs.frozen(eq=False)
class Form:
    """What is the same whenever such commands are said of an object between two deletions.

    Attributes:
        keys: those of its keys from which anything follows.
        unsaid: where the object is new, the fields that hold nothing and of which that is indexed.
        owners: the fields with indexes of several fields, of which one is concerned.
        told: the names of the fields concerned, and whether nothing must be tried to know what these will hold.
    """

    keys: tuple[KeyForm, ...]
    unsaid: tuple[FieldSchema, ...]
    owners: tuple[FieldSchema, ...] = ()
    told: Mapping[str, bool] = attrs.field(factory=dict)


def form_of(model: ModelSchema, epoch: Epoch) -> Form:
    """Return the form of *epoch*, which is of an object of *model*."""
    create, kept = epoch.create, model.memory
    # What is equal for two epochs of one form.
    sort: list[Any] = [epoch.from_nothing]
    if create is not None:
        sort += create.entries, create.strings
        for write in create.writes:
            sort += write.storage, *_sort_of(write.change, by_name=write.storage == INSTANCE_HASH)
    for storage, said in epoch.writes.items():
        sort += None, storage
        by_name = storage == INSTANCE_HASH
        for _, write in said:
            change = write.change
            if by_name and type(change) is Replaced:
                sort += Replaced, *[entry for entry, _ in change.values]
            else:
                sort += _sort_of(change, by_name=by_name)
    key = tuple(sort)
    form: Form | None = kept.get(key)
    if form is None:
        form = worked_out(model, epoch)
        if len(kept) < _MOST_KEPT and len(key) < _LONGEST:
            kept[key] = form
    return form


def _sort_of(change: Change, *, by_name: bool = False) -> tuple[Any, ...]:
    """Return what is equal for two changes of one form; *by_name*: the entries that they name are fields."""
    if isinstance(change, Replaced):
        return (Replaced, tuple(entry for entry, _ in change.values)) if by_name else (Replaced,)
    if isinstance(change, Added):
        return (Added,)
    members = change.members if by_name or change.members is None else ()
    return type(change), members, isinstance(change, Computed | Opaque) and change.fallible


def worked_out(model: ModelSchema, epoch: Epoch) -> Form:
    """Work out the form of *epoch* from all that is said in it."""
    keys = [KeyForm.of(model, epoch, storage) for storage in epoch.storages()]
    said = {field for key in keys for field, _ in key.indexed}
    unsaid = () if epoch.create is None else tuple(field for field in model.nones if field not in said)
    followed = tuple(key for key in keys if key.indexed or key.rehearsed)
    owners = dict.fromkeys(owner for field in said for owner in field.owners)
    told = {field.name: not key.rehearsed for key in keys for field, _ in key.indexed}
    return Form(followed, unsaid, tuple(sorted(owners, key=lambda owner: owner.name)), told if owners else {})
