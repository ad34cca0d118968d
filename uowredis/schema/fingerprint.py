"""What Redis says a model was declared to be (declare): the kind of each field, and the state of its index.

It is one hash per model, ``Keys.fingerprint``: under the name of each field in Redis stands a text such as ``entry``,
``entry equal:ready`` or ``zset unique equal:building``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import attrs

if TYPE_CHECKING:
    from uowredis.schema.models import FieldSchema, ModelSchema

#: The text of each field, by its name in Redis.
Fingerprint: TypeAlias = Mapping[str, str]


#: The index has whatever the objects hold.
READY = "ready"
#: A rebuild fills it, or was broken off.
BUILDING = "building"
#: It was written by a declaration that has no such index: what it says is no longer right.
LEFT = "left"


def told(flat: Sequence[str]) -> Fingerprint:
    """Return the fingerprint that HGETALL tells as *flat*: names and texts in turn."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


@attrs.frozen
class FieldPrint:
    """What is known of one field.

    Attributes:
        kind: the Redis type under it, ``entry`` for one of the instance's hash.
        unique: whether no two objects could share a value, all the time.
        indexes: the state of each index by its kind.
    """

    kind: str
    unique: bool = False
    indexes: Mapping[str, str] = attrs.field(factory=dict)

    @classmethod
    def declared(cls, field: FieldSchema, state: str = READY) -> FieldPrint:
        """Return that of a *field* as it is declared, its indexes in *state*."""
        return cls(field.kind.value, field.unique, dict.fromkeys(field.words, state))

    @classmethod
    def read(cls, text: str) -> FieldPrint:
        """Return what *text* says; words that are not known are passed over."""
        kind, *words = text.split() or [""]
        states = (word.partition(":") for word in words if ":" in word)
        return cls(kind, "unique" in words, {index: state for index, _, state in states})

    def __str__(self) -> str:
        states = (f"{index}:{state}" for index, state in self.indexes.items())
        return " ".join((self.kind, *(("unique",) if self.unique else ()), *states))


def declared(model: ModelSchema) -> dict[str, str]:
    """Return the fingerprint of *model*, all its indexes ready."""
    fields = {field.stored: str(FieldPrint.declared(field)) for field in model.fields.values()}
    return {"pk": "auto" if model.auto else "chosen", **fields}


class Compared(NamedTuple):
    """A declaration beside the fingerprint that was found.

    Attributes:
        unready: the fields with indexes that do not have all that they should, and these.
        more: what the declaration says that the fingerprint does not, in words.
        marks: what the fingerprint must say before something is written by this declaration, which says less.
    """

    unready: tuple[tuple[FieldSchema, frozenset[str]], ...]
    more: tuple[str, ...]
    marks: Fingerprint


#: That of a declaration that is what the fingerprint says.
NOTHING = Compared((), (), {})


def compared(model: ModelSchema, found: Fingerprint) -> Compared:
    """Compare the declaration of *model* with the fingerprint that was *found*."""
    prints = {stored: FieldPrint.read(text) for stored, text in found.items()}
    fields = [(field, prints.get(field.stored)) for field in model.fields.values()]
    lacking = ((field, frozenset(lacks(field, was))) for field, was in fields)
    unready = tuple((field, words) for field, words in lacking if words)
    more = [said for field, was in fields for said in _more(field, was)]
    marks = {stored: str(mark) for stored, was in prints.items() if (mark := _mark(model, stored, was)) != was}
    return Compared(unready, tuple(more), marks)


def lacks(field: FieldSchema, was: FieldPrint | None) -> dict[str, str | None]:
    """Return the indexes of *field* that are not ready, each with its state, None for one that was not there."""
    states = {} if was is None else was.indexes
    return {word: states.get(word) for word in field.words if states.get(word) != READY}


def _more(field: FieldSchema, was: FieldPrint | None) -> Iterator[str]:
    if was is not None and was.kind != field.kind.value:
        yield f"{field.name} (it is of kind {field.kind.value!r} here, and was stored as {was.kind!r})"
    if missing := lacks(field, was):
        for word, state in missing.items():
            which = "its index" if len(field.words) == 1 else f"its index {word!r}"
            yield f"{field.name} ({which} is {_SAID.get(state, state)})"
    elif field.unique and was is not None and not was.unique:
        yield f"{field.name} (it is unique here, and was not)"


_SAID = {None: "new", BUILDING: "being built", LEFT: "out of date: it was written without"}


def _mark(model: ModelSchema, stored: str, was: FieldPrint) -> FieldPrint:
    """Return what the fingerprint must say of a field, once this declaration has written."""
    field = model.by_stored.get(stored)
    kept = field.words if field is not None else ()
    indexes = {index: state if index in kept else LEFT for index, state in was.indexes.items()}
    return FieldPrint(was.kind, was.unique and field is not None and field.unique, indexes)
