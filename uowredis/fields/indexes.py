"""Which indexes a field is declared with (declare): they must be able to stand together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from uowredis.exceptions import ImplementationError
from uowredis.schema.index import EQUALITY, EqualIndex, Index
from uowredis.schema.joint import EqualIndexWith, JointIndex, ScoredEqualIndex
from uowredis.schema.models import FieldSchema
from uowredis.schema.multi import IndexKinds, MultiIndexes
from uowredis.schema.ranges import NumberRangeIndex, TextRangeIndex

if TYPE_CHECKING:
    from uowredis.fields.base import Field

#: What ``indexable`` says for the range index that fits the type.
RANGE: Final = "range"


def declared_indexes(field: Field[Any], indexes: IndexKinds | None, *, ranged: bool) -> tuple[type[Index], ...] | None:
    """Return the kinds of index that *field* names, None where it names none.

    Raises:
        ImplementationError: for indexes of a field that is not indexable, or that are none.
    """
    called = type(field).__name__
    if field.none and not field.indexable:
        raise ImplementationError(f"{called}: none=True takes a field that is indexable. Way out: indexable=True")
    if ranged:
        if indexes is not None or field.holds is None:
            raise ImplementationError(
                f'{called}: indexable="range" takes the index that fits the type, and no indexes. Way out: type=int, '
                f"or indexable=True with indexes=[EqualIndex, NumberRangeIndex]"
            )
        return EqualIndex, NumberRangeIndex if field.holds.by_number else TextRangeIndex
    if indexes is None:
        return None
    if not field.indexable:
        raise ImplementationError(f"{called} has indexes and is not indexable. Way out: indexable=True")
    return checked_indexes(field, indexes)


def checked_indexes(field: Field[Any], indexes: IndexKinds) -> tuple[type[Index], ...]:
    """Return *indexes* as a tuple.

    Raises:
        ImplementationError: where they are no kinds of index, or none at all.
    """
    called = str(field) if field.name else type(field).__name__
    listed = isinstance(indexes, list | tuple) and indexes
    if not listed or not all(isinstance(kind, type) and issubclass(kind, Index | MultiIndexes) for kind in indexes):
        raise ImplementationError(
            f"{called}: indexes takes a list of kinds of index, not {indexes!r}. Way out: indexes=[EqualIndex]"
        )
    return tuple([one for kind in indexes for one in (kind.flat() if issubclass(kind, MultiIndexes) else (kind,))])


def check_together(field: Field[Any], schema: FieldSchema) -> None:
    """Check that the indexes of a field differ in what they answer, and in their keys.

    Raises:
        ImplementationError: naming the two that do not, or that no index handles a unique value.
    """
    answered: dict[str, Index] = {}
    kinds: dict[tuple[str, ...], Index] = {}
    for index in schema.indexes:
        called = type(index).__name__
        for place in index.places:
            if (other := kinds.setdefault(place, index)) is not index:
                raise ImplementationError(
                    f"{field}: {called} and {type(other).__name__} would have the same keys. Way out: "
                    f"configure(key=...) or configure(prefix=...) for one of them"
                )
        if not index.answers_alone:
            continue
        ranges = index.suffixes - EQUALITY
        for suffix in sorted(ranges or index.suffixes):
            asked = "__".join(filter(None, (field.name, index.prefix, suffix)))
            other = answered.setdefault(asked, index)
            if other is not index and bool(other.suffixes - EQUALITY) == bool(ranges):
                raise ImplementationError(
                    f"{field}: {called} and {type(other).__name__} both answer {asked}=. Way out: "
                    f"configure(prefix=...) for one of them"
                )
    if schema.unique and not any(index.handle_uniqueness for index in schema.indexes):
        raise ImplementationError(
            f"{field} is unique, and none of its indexes handles that. Way out: {EqualIndex.__name__} among indexes"
        )


def check_joint(model: str, fields: Mapping[str, FieldSchema]) -> None:
    """Check that each index of several fields names fields of the *model* that can be in it.

    Raises:
        ImplementationError: naming the index, and the field that cannot.
    """
    answered: dict[frozenset[str], str] = {}
    for field in fields.values():
        for index in field.indexes:
            if not isinstance(index, JointIndex):
                continue
            called, names = f"{model}.{field.name}: {type(index).__name__}", index.names_beside()
            scored = isinstance(index, ScoredEqualIndex)
            option = "score_field" if scored else "other_fields"
            others = [each for each in fields if each != field.name]
            way = f"{', '.join(others) or 'another field'} in configure({option}=...)"
            if not names:
                raise ImplementationError(f"{called} names no other field. Way out: {way}")
            for name in names:
                if name not in others:
                    reason = "is its own field" if name == field.name else "is no field of the model"
                    raise ImplementationError(f"{called} names {name!r}, which {reason}. Way out: {way}")
            if scored and not fields[names[0]].single:
                raise ImplementationError(
                    f"{called} takes its scores from {names[0]}, which has many values. Way out: a StringField or "
                    f"InstanceHashField"
                )
            if isinstance(index, EqualIndexWith) and index.unique:
                hashes = [name for name in (field.name, *names) if fields[name].by_entry]
                if hashes:
                    raise ImplementationError(
                        f"{called} cannot make {', '.join(hashes)} unique: a HashField has none. Way out: leave out "
                        f"unique=True, or name other fields"
                    )
            if isinstance(index, EqualIndexWith):
                asked = frozenset(("__".join(filter(None, (field.name, index.prefix))), *names))
                other = answered.setdefault(asked, called)
                if other is not called:
                    shown = ", ".join(f"{name}=" for name in sorted(asked))
                    raise ImplementationError(
                        f"{called} answers {shown} together, and so does {other}. Way out: leave out one of them, or "
                        f"configure(prefix=...) for it"
                    )
