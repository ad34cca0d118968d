"""How keys are spelled (declare): the one place where a key is put together.

``Keys`` is the layout of redis-limpyd 2, so that its data stays readable and the reverse. It is an object handed
to the schema, so that another layout (hash tags for Redis Cluster) can stand beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

#: Words that stand where a pk or a field stands in a key, and so can be neither.
RESERVED = ("__collection__", "__commit__", "__guard__", "collection", "max_pk")

#: Last part of the key that holds all InstanceHashFields of an instance.
INSTANCE_HASH = "hash"


class Unfilled(str):
    """Text in which a primary key is missing that Redis has not counted yet; something else stands for it."""

    __slots__ = ()

    def filled(self) -> str:
        """Return the text with the primary key, or the text itself while there is none."""
        raise NotImplementedError

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def filled(text: str) -> str:
    """Return *text* with the primary keys that it lacks, as far as they are there by now."""
    return text.filled() if isinstance(text, Unfilled) else text


class _UnfilledKey(Unfilled):
    """A key that is put together of texts of which some are not filled."""

    __slots__ = ("parts",)
    parts: Sequence[str]

    def filled(self) -> str:
        """Return the key of the filled texts."""
        return _joined([filled(part) for part in self.parts])


def _joined(parts: Sequence[str]) -> str:
    key = ":".join(parts)
    if any(isinstance(part, Unfilled) for part in parts):
        unfilled = _UnfilledKey(key)
        unfilled.parts = parts
        return unfilled
    return key


@attrs.frozen
class Keys:
    """The keys of one model.

    Args:
        prefix: ``namespace:name`` in the spelling of the data, e.g. ``:bike``.
    """

    prefix: str
    collection: str = attrs.field(init=False)
    counter: str = attrs.field(init=False)

    @collection.default
    def _collection(self) -> str:
        return f"{self.prefix}:collection"

    @counter.default
    def _counter(self) -> str:
        return f"{self.prefix}:max_pk"

    @classmethod
    def of_model(cls, namespace: str, name: str) -> Keys:
        """Return the keys of the model *name*: the class name goes in lower case, the namespace as it is."""
        return cls(f"{namespace}:{name.lower()}")

    def storage(self, pk: str, storage: str) -> str:
        """Return the key that holds *storage*: a field's name, or ``hash`` for all InstanceHashFields."""
        return f"{self.prefix}:{pk}:{storage}" if type(pk) is str else _joined((self.prefix, pk, storage))

    def index(self, field: str, value: str) -> str:
        """Return the key of the set of pks whose *field* holds *value*."""
        return f"{self.prefix}:{field}:{value}" if type(value) is str else _joined((self.prefix, field, value))

    def entry_index(self, field: str, entry: str, value: str) -> str:
        """Return the key of the set of pks whose HashField *field* has *value* under *entry*."""
        return f"{self.prefix}:{field}:{entry}:{value}"

    def temporary(self, random: str) -> str:
        """Return the key of a temporary result of a query; it lives within one transaction."""
        return f"{self.prefix}:__collection__:tmp:{random}"

    def stored(self, random: str) -> str:
        """Return the key of a stored collection that was given none."""
        return f"{self.prefix}:__collection__:store:{random}"

    def guard(self, pk: str) -> str:
        """Return the key that creations and deletions of *pk* touch; it never lasts."""
        return f"{self.prefix}:__guard__:{pk}"
