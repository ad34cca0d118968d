"""Forms: what is the same whenever such commands meet such an object, worked out once (decide, pure).

What must be read of a key, and whether anything follows, depends on the model, the names and the kinds of change, never
on the values. A form is worked out by the rules below when it is first met, and kept with the model.
"""

from __future__ import annotations

from typing import Any

import attrs

from uowredis.commands.changes import Added, Change, Removed, Replaced, named, needs_content
from uowredis.commands.commands import matters, may_fail, touched_fields
from uowredis.commands.journal import Epoch
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import FieldSchema, Kind, ModelSchema

#: So many forms of one model are kept, and none that is of more commands than this.
_MOST_KEPT, _MOST_COMMANDS = 1_000, 16


@attrs.frozen(eq=False)
class KeyForm:
    """What is the same whenever such changes are made to such a key.

    Attributes:
        storage: the last part of the key.
        kind: the Redis type of the key.
        indexed: the fields concerned that have an index, each with the name that it has in the key, '' for no name.
        rehearsed: the writes must be tried.
        told: else each field holds one value at most, and the arguments tell it.
        names: the entries that are read of a hash; None: all there is, as a whole.
        by_members: what is read is what the commands name.
        guarded: what is read must not change: not where all fields concerned are ``lockable=False``.
        label: the fields concerned, in words.
        unique: whether one of them is.
    """

    storage: str
    kind: Kind
    indexed: tuple[tuple[FieldSchema, str], ...]
    rehearsed: bool
    told: bool
    names: tuple[str, ...] | None
    by_members: bool
    guarded: bool
    label: str
    unique: bool

    @classmethod
    def of(cls, model: ModelSchema, epoch: Epoch, storage: str) -> KeyForm:
        """Work out the form of what happens to *storage* in *epoch*."""
        said = [write for _, write in epoch.said(storage)]
        in_hash = storage == INSTANCE_HASH
        kind = Kind.HASH if in_hash else model.by_stored[storage].kind
        given = [entry for entry, _ in epoch.create.entries] if epoch.create is not None and in_hash else []
        members = dict.fromkeys([*given, *(name for write in said for name in named(write.change) or ())])
        touched = list(touched_fields(model, storage, members))
        indexed = [field for field in touched if field.indexed]
        # Where two values may share an entry, what is left of the others tells whether it stays.
        lossy = any(field.lossy for field in indexed)
        rehearsed = any(needs_content(write.change) and (matters(write) or may_fail(write)) for write in said)
        rehearsed = rehearsed or (lossy and any(type(write.change) is not Added for write in said))
        whole = any(named(write.change) is None for write in said)
        names: tuple[str, ...] | None = ()
        by_members = False
        if epoch.from_nothing:
            pass
        elif rehearsed:
            by_members = not (whole or lossy or kind in (Kind.LIST, Kind.STRING))
            names = () if by_members else None
        elif in_hash:
            names = tuple(field.stored for field in indexed)
        elif indexed and (whole or kind is Kind.STRING):
            names = None
        elif indexed:
            by_members = kind is Kind.HASH
        told = not rehearsed and (kind is Kind.STRING or (in_hash and not whole))
        read = touched if rehearsed else indexed
        return cls(
            storage,
            kind,
            tuple((field, field.stored if in_hash else "") for field in indexed),
            rehearsed,
            told,
            names,
            by_members,
            any(field.lockable for field in read),
            ", ".join(f"{model.name}.{field.name}" for field in indexed or touched),
            any(field.unique for field in indexed),
        )


@attrs.frozen(eq=False)
class Form:
    """What is the same whenever such commands are said of an object between two deletions.

    Attributes:
        keys: those of its keys from which anything follows.
        unsaid: where the object is new, the fields that hold nothing and of which that is indexed.
    """

    keys: tuple[KeyForm, ...]
    unsaid: tuple[FieldSchema, ...]


def form_of(model: ModelSchema, epoch: Epoch) -> Form:
    """Return the form of *epoch*, which is of an object of *model*."""
    create, kept = epoch.create, model.memory
    sort: Any = (
        epoch.from_nothing,
        None if create is None else _sort_of_creation(create),
        tuple([_sort_of_writes(storage, said) for storage, said in epoch.writes.items()]),
    )
    form: Form | None = kept.get(sort)
    if form is None:
        form = worked_out(model, epoch)
        if len(kept) < _MOST_KEPT and all(len(said) <= _MOST_COMMANDS for said in epoch.writes.values()):
            kept[sort] = form
    return form


def _sort_of_creation(create: Any) -> tuple[Any, ...]:
    entries = tuple([entry for entry, _ in create.entries])
    strings = tuple([entry for entry, _ in create.strings])
    return entries, strings, tuple([(write.storage, _sort_of(write.change, False)) for write in create.writes])


def _sort_of_writes(storage: str, said: list[tuple[int, Any]]) -> tuple[Any, ...]:
    by_name = storage == INSTANCE_HASH
    return storage, *[_sort_of(write.change, by_name) for _, write in said]


def _sort_of(change: Change, by_name: bool) -> tuple[Any, ...]:
    """Return what is equal for two changes of one form; *by_name*: the entries that they name are fields."""
    kind = type(change)
    if isinstance(change, Replaced):
        return (kind, *[entry for entry, _ in change.values]) if by_name else (kind,)
    if isinstance(change, Added):
        return (kind,)
    members = change.members
    members = members if by_name or members is None else ()
    return (kind, members) if isinstance(change, Removed) else (kind, members, change.fallible)


def worked_out(model: ModelSchema, epoch: Epoch) -> Form:
    """Work out the form of *epoch* from all that is said in it."""
    keys = [KeyForm.of(model, epoch, storage) for storage in epoch.storages()]
    said = {field for key in keys for field, _ in key.indexed}
    unsaid = () if epoch.create is None else tuple(field for field in model.nones if field not in said)
    return Form(tuple(key for key in keys if key.indexed or key.rehearsed), unsaid)
