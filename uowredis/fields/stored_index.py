"""An index of a declared field by its keys, for programs that ask Redis themselves (declare)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from uowredis.exceptions import ArgumentError, ImplementationError
from uowredis.schema.index import Index
from uowredis.schema.joint import EqualIndexWith
from uowredis.schema.models import FieldSchema, ModelSchema

if TYPE_CHECKING:
    from uowredis.fields.base import Field


@attrs.frozen
class StoredIndex:
    """An index of one field: ``Model.get_field(name).get_index()``.

    Attributes:
        kind: the class of the index.
    """

    _model: ModelSchema
    _index: Index
    _field: Any  # a declared field, which a type checker would take for a descriptor of this class

    @property
    def kind(self) -> type[Index]:
        """Its kind, as it was declared."""
        return type(self._index)

    def get_storage_key(self, *args: Any) -> str:
        """Return the key in which the index holds who has a value; nothing is sent.

        Args:
            args: the value, as a command takes it, which a transform sees; of a HashField its entry before it. Of an
                ``EqualIndexWith`` the same for each of its fields, in their order.

        Raises:
            ArgumentError: for another number of them, or a value that the index cannot hold.
            ImplementationError: for a sharded model, whose index is in each of its places.
        """
        index, keys = self._index, self._model.keys
        if self._model.facets is not None:
            raise ImplementationError(
                f"{self._field} is indexed in each of {self._model.shards:,} places, by a key each. Way out: "
                f"collection(...).explain(), which shows them"
            )
        fields = index.fields if isinstance(index, EqualIndexWith) else (index.field,)
        needed = sum(1 + field.by_entry for field in fields)
        if len(args) != needed:
            each = ", ".join(f"{'an entry and ' * field.by_entry}a value of {field.name}" for field in fields)
            raise ArgumentError(f"get_storage_key() of {self._field} takes {each}, not {len(args)}")
        given = iter(args)
        held = [(str(next(given)) if field.by_entry else "", self._spelled(field, next(given))) for field in fields]
        try:
            return index.storage_key(keys, held)
        except ValueError as error:
            raise ArgumentError(f"{self._field} is not indexed by {args!r}: {error}") from error

    def _spelled(self, field: FieldSchema, value: Any) -> str:
        spelled: str = self._field.beside(field.name).spell(value)
        return spelled


def stored_index(
    field: Field[Any], model: ModelSchema | None, kind: type[Index] | None, key: str | None, prefix: str | None
) -> StoredIndex:
    """Return the first index of *field* that is a *kind*, with this *key* and *prefix*; None for any.

    Raises:
        ImplementationError: where there is none.
    """
    facts = None if model is None else model.fields.get(field.name)
    indexes = () if facts is None else facts.indexes
    for index in indexes:
        is_kind = kind is None or isinstance(index, kind)
        if is_kind and key in (None, index.key) and prefix in (None, index.prefix) and model is not None:
            return StoredIndex(model, index, field)
    found = ", ".join(type(index).__name__ for index in indexes) or "none"
    raise ImplementationError(f"{field} has no such index. Way out: of its indexes, which are {found}")
