"""``FieldFacts``: what a field was declared to be, for whoever asks a model (declare, pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from uowredis.fields import Field
from uowredis.schema.index import Index
from uowredis.schema.models import FieldSchema, Kind, OnDelete

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    #: What is under a field: a Redis type, ``entry`` for one entry of the object's hash, ``pk`` for the primary key.
    FieldKind: TypeAlias = Literal["string", "entry", "hash", "set", "list", "zset", "pk"]
    #: Kinds of index.
    IndexClasses: TypeAlias = tuple[type[Index], ...]


@attrs.frozen
class FieldFacts:
    """What one field of a model was declared to be.

    Attributes:
        name: of the attribute.
        kind: the Redis type under it, ``"entry"`` for an entry of the object's hash, ``"pk"`` for the primary key.
        stored: its name in Redis.
        type: what its values are, as it was declared; of a reference what the primary keys are; None for text.
        indexes: the kinds of its indexes, none where it has no index.
        unique: whether no two objects share a value; true of a primary key.
        none: whether objects are found by that they hold nothing.
        lockable: whether it plans watches of its own.
        default: the value of new objects that are given none, or what is called for it; None for none.
        to: the model it refers to, as it was named; None where it refers to nothing.
        target: that model, None while it is not declared on the same database.
        on_delete: what follows when an object is deleted that it refers to, None where it refers to nothing.
    """

    name: str
    kind: FieldKind
    stored: str
    type: Any
    indexes: IndexClasses
    unique: bool
    none: bool
    lockable: bool
    default: Any
    to: str | None
    target: Any
    on_delete: OnDelete | None


def facts_of(field: Field[Any], schema: FieldSchema | None) -> FieldFacts:
    """Return the facts of a declared *field*.

    Args:
        field: of a model.
        schema: what the model made of it, None for the primary key.
    """
    relation = None if schema is None else schema.relation
    target = getattr(field, "target", None)
    return FieldFacts(
        name=field.name,
        kind=field.kind.value,
        stored=field.stored,
        type=field.declared_type if target is None else target.pk.declared_type,
        indexes=() if schema is None else tuple(map(type, schema.indexes)),
        unique=field.unique or field.kind is Kind.PK,
        none=field.none,
        lockable=schema is None or schema.lockable,
        default=field.default,
        to=None if relation is None else relation.wanted,
        target=target,
        on_delete=None if relation is None else relation.on_delete,
    )
