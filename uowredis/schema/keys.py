"""How keys are spelled (declare): the one place where a key is put together.

``Keys`` is the layout of redis-limpyd 2, so that its data stays readable and the reverse. It is an object handed
to the schema. A model with a place has the same keys behind it: a hash tag, by which Redis Cluster keeps all keys of a
place in one slot.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, Sequence

import attrs

#: Words that stand where a pk or a field stands in a key, and so can be neither; the locks are those of redis-limpyd.
RESERVED = (
    "__collection__",
    "__commit__",
    "__fingerprint__",
    "__guard__",
    "__none__",
    "collection",
    "lock-for-update",
    "max_pk",
)

#: Last part of the key that holds all InstanceHashFields of an instance.
INSTANCE_HASH = "hash"

#: How many hash slots a Redis Cluster has.
SLOTS = 16_384

#: The key of what is said of the layout of all that is in a database: of each sharded model its number of shards.
LAYOUT = "{uowredis}:layout"

#: Stands for the place in the keys of a sharded model as a whole, which are those of no object: no place is called so.
_ANYWHERE = "*"

#: Last part of the key that says who holds a unique value, beside a sorted set.
_HOLDERS = "__uniqueness__"


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
        prefix: ``namespace:name`` in the spelling of the data, e.g. ``:bike``; ``{place}:namespace:name`` in a place.
        place: what stands between the braces, None for a model without.
    """

    prefix: str
    place: str | None = None
    collection: str = attrs.field(init=False)
    counter: str = attrs.field(init=False)
    fingerprint: str = attrs.field(init=False)

    @collection.default
    def _collection(self) -> str:
        return f"{self.prefix}:collection"

    @counter.default
    def _counter(self) -> str:
        return f"{self.prefix}:max_pk"

    @fingerprint.default
    def _fingerprint(self) -> str:
        return f"{self.prefix}:__fingerprint__"

    @classmethod
    def of_model(cls, namespace: str, name: str, stored_as: str | None = None, place: str | None = None) -> Keys:
        """Return the keys of the model *name*: the class name goes in lower case, the namespace as it is.

        Args:
            namespace: what they begin with.
            name: of the class.
            stored_as: what stands where the class name would, as it is.
            place: what stands in braces before all of it, None for nothing.
        """
        stored = name.lower() if stored_as is None else stored_as
        if place is None:
            return cls(f"{namespace}:{stored}")
        # At the very beginning: braces in primary keys and values never count.
        return cls(":".join(part for part in (f"{{{place}}}", namespace, stored) if part), place)

    @classmethod
    def of_shards(cls, namespace: str, name: str, stored_as: str | None = None) -> Keys:
        """Return what stands for the keys of a sharded model in any of its places."""
        return cls(cls.of_model(namespace, name, stored_as, _ANYWHERE).prefix)

    @property
    def without_place(self) -> str:
        """The prefix without the place: what the layout calls a sharded model."""
        return self.prefix.partition("}:")[2]

    def in_another(self, key: str) -> str | None:
        """Return the place of a *key* that is one of these but for the place, None for any other key."""
        place, separator, rest = key.partition("}:")
        return place[1:] if separator and rest.startswith(f"{self.without_place}:") else None

    def moved(self, keys: Keys, call: tuple[str, ...]) -> tuple[str, ...]:
        """Return a *call* on keys of these, and patterns, as it is on the same of *keys*, in another place."""
        opening, end = f"{self.prefix}:", len(self.prefix)
        return tuple([f"{keys.prefix}{part[end:]}" if part.startswith(opening) else part for part in call])

    def of_another(self, keys: Keys, key: str) -> str:
        """Return the *key* of these that the same is of *keys*, which differ in their place."""
        return f"{keys.prefix}{key[len(self.prefix) :]}"

    def storage(self, pk: str, storage: str) -> str:
        """Return the key that holds *storage*: a field's name, or ``hash`` for all InstanceHashFields."""
        return f"{self.prefix}:{pk}:{storage}" if type(pk) is str else _joined((self.prefix, pk, storage))

    def index(self, field: str, *parts: str) -> str:
        """Return a key of an index of *field*: of one value, the set of pks whose field holds it.

        Args:
            field: its name.
            parts: what tells the key apart from the others of the field: the entry of a HashField, the prefix and the
                key of the index, and the value where each has a key of its own.
        """
        if len(parts) == 1 and type(parts[0]) is str:
            return f"{self.prefix}:{field}:{parts[0]}"
        return _joined((self.prefix, field, *parts))

    def holders(self, key: str) -> str:
        """Return the key of the set of pks that hold the unique value of an index *key* that is a sorted set."""
        return _joined((key, _HOLDERS))

    def is_holders(self, key: str) -> bool:
        """Return whether *key*, or the value that ends one, has the form of one of :meth:`holders`."""
        return key.endswith(f":{_HOLDERS}")

    def held(self, key: str) -> str:
        """Return the index key, or the value that ends it, of *key*, one of :meth:`holders`."""
        return key.removesuffix(f":{_HOLDERS}")

    def none(self, field: str) -> str:
        """Return the key of the set of pks whose *field* holds nothing."""
        return f"{self.prefix}:__none__:{field}"

    def index_opening(self, field: str) -> str:
        """Return what every index key of *field* begins with: the part that holds no value."""
        return f"{self.prefix}:{field}:"

    def indexed_value(self, field: str, key: str) -> str:
        """Return what of an index *key* of *field* is its own; the reverse of :meth:`index`."""
        return key.removeprefix(self.index_opening(field))

    def value_behind(self, field: str, key: str, tail: tuple[str, ...], *, by_entry: bool) -> str | None:
        """Return the value in an index *key* of *field* behind *tail*; None where that does not stand there.

        Args:
            field: its name.
            key: of one of its indexes.
            tail: what stands there before the value.
            by_entry: whether the entry of a HashField stands before all of it.
        """
        rest = self._behind_entry(field, key, by_entry)
        opening = "".join(f"{part}:" for part in tail)
        return rest.removeprefix(opening) if rest is not None and rest.startswith(opening) else None

    def ends_with(self, field: str, key: str, tail: tuple[str, ...], *, by_entry: bool) -> bool:
        """Return whether an index *key* of *field* is *tail* and no more, as those without a value in them are."""
        return self._behind_entry(field, key, by_entry) == ":".join(tail)

    def _behind_entry(self, field: str, key: str, by_entry: bool) -> str | None:
        rest = self.indexed_value(field, key)
        if not by_entry:
            return rest
        _, separator, rest = rest.partition(":")
        return rest if separator else None

    def none_of(self, key: str) -> str | None:
        """Return the field whose objects without a value *key* holds, None for any other key."""
        opening = self.none("")
        return key.removeprefix(opening) if key.startswith(opening) else None

    def is_none(self, field: str, key: str) -> bool:
        """Return whether *key* is that of the objects whose *field* holds nothing."""
        return key == self.none(field)

    def pattern(self, storage: str, entry: str | None = None) -> str:
        """Return how SORT gets what *storage* of each object holds, or one *entry* of it."""
        key = self.storage("*", storage)
        return key if entry is None else f"{key}->{entry}"

    def temporary(self, random: str) -> str:
        """Return the key of a temporary result of a query; it lives within one transaction."""
        return f"{self.prefix}:__collection__:tmp:{random}"

    def stored(self, random: str) -> str:
        """Return the key of a stored collection that was given none."""
        return f"{self.prefix}:__collection__:store:{random}"

    def is_stored(self, key: str) -> bool:
        """Return whether *key* is one of a stored collection that was given none."""
        return key.startswith(self.stored(""))

    def guard(self, pk: str) -> str:
        """Return the key that creations and deletions of *pk* touch; it never lasts."""
        return f"{self.prefix}:__guard__:{pk}"

    def token(self, random: str) -> str:
        """Return the key in which a commit on objects of this model leaves word that it was applied, for some time."""
        return f"{self.prefix}:__commit__:{random}"

    # Taken apart.

    def owns(self, key: str) -> bool:
        """Return whether *key* is one of this model, or of one whose name begins with all of this one's."""
        return key.startswith(f"{self.prefix}:")

    def is_beside(self, key: str) -> bool:
        """Return whether *key* is in the place of this model."""
        return self.place is not None and key.startswith(f"{{{self.place}}}:")

    @property
    def owned(self) -> str:
        """The pattern of SCAN that every key fits which :meth:`owns` knows, and no other."""
        return f"{literal(self.prefix)}:*"

    def owned_beside(self, place: str) -> str:
        """Return the pattern that every key of a sharded model fits, for the node that has *place* to be asked.

        What stands between the first braces of a pattern is taken for a place; here they are a class of characters,
        which the first one of each key is in, too.
        """
        return f"[{{{literal(place)}}}]*}}:{literal(self.without_place)}:*"

    def word_in(self, key: str) -> str:
        """Return the word of a *key* of the model that stands where a pk or an indexed field has its name."""
        return word_of(key.removeprefix(f"{self.prefix}:"))

    def guarded_pk(self, key: str) -> str | None:
        """Return the pk that a guard *key* is of, None for any other key."""
        opening = self.guard("")
        return key.removeprefix(opening) if key.startswith(opening) else None

    def is_token(self, key: str) -> bool:
        """Return whether *key* is the token of a commit."""
        return key.startswith(self.token(""))

    def stored_at(self, key: str) -> tuple[str, str]:
        """Return the pk and the storage that a *key* of an object is of; the reverse of :meth:`storage`."""
        pk, _, storage = key.removeprefix(f"{self.prefix}:").rpartition(":")
        return pk, storage

    def is_index(self, field: str, key: str) -> bool:
        """Return whether *key* belongs to the index of *field*."""
        return key.startswith(self.index_opening(field))


def why_not_stored(name: str, *, field: bool) -> str | None:
    """Return why nothing can be stored under *name* in this layout, or None where it can.

    Args:
        name: chosen for a field, or for a model.
        field: whether it is one of a field, which stands where primary keys do.
    """
    if not name:
        return "it is empty"
    if not name.isprintable():
        return "it would not print"
    if ":" in name:
        return "':' separates the parts of keys"
    if "*" in name or "->" in name:
        return "'*' and '->' have a meaning in patterns of SORT"
    if not field:
        return None
    if name in RESERVED or name in (INSTANCE_HASH, "pk"):
        return "its keys would collide with the library's own"
    if name[0].isdigit():
        return "primary keys that Redis counts stand in the same place"
    return None


def why_no_place(place: str) -> str | None:
    """Return why *place* cannot stand in braces before keys, None where it can."""
    if not place:
        return "it is empty, and then the whole key counts"
    if not place.isprintable():
        return "it would not print"
    if "{" in place or "}" in place:
        return "braces are put around it"
    return "'*' has a meaning in patterns of SORT" if "*" in place else None


def slot_of(tag: str) -> int:
    """Return the hash slot of Redis Cluster in which keys are that have *tag* in braces (redis.io: cluster-spec)."""
    return binascii.crc_hqx(tag.encode("utf-8", "surrogateescape"), 0) % SLOTS


def place_of(key: str) -> str | None:
    """Return the place that *key* begins with, None for none."""
    return key[1 : key.index("}")] if key.startswith("{") and "}" in key else None


def placed(place: str, node_of: Callable[[int], str | None]) -> str:
    """Return in words where *place* is: its slot, and the node that has it, where *node_of* tells."""
    slot = slot_of(place)
    node = node_of(slot)
    return f"place {{{place}}}, slot {slot}" + (f" at {node}" if node else "")


def literal(text: str) -> str:
    """Return the pattern of SCAN that *text* alone fits."""
    return "".join(f"\\{character}" if character in r"*?[]\^-" else character for character in text)


def word_of(pk: str) -> str:
    """Return the word of *pk* that stands where keys of another meaning have theirs."""
    return pk.partition(":")[0]


def shown_token(key: str) -> str:
    """Return the *key* of a token for eyes: its random part is that of one attempt."""
    return f"{key.rpartition(':')[0]}:<token>"


def beside(temporary: str, number: int) -> str:
    """Return one more key of a query, beside its *temporary* key."""
    return f"{temporary}:{number}"


def quoted(text: str, also: str = "") -> str:
    """Return *text* with nothing in it that separates the parts of keys, or is one of *also*."""
    # What is not known yet has neither.
    return text if type(text) is not str else "".join(f"%{ord(c):02X}" if c in f"%:{also}" else c for c in text)


def unquoted(text: str) -> str:
    """Return the reverse of :func:`quoted`."""
    return re.sub("%([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), text)


def member(value: str, separator: str, pk: str) -> str:
    """Return what a sorted index holds where each of its members is a *value* with the *pk* that has it."""
    return _joined((value, separator, pk))


def member_of(text: str, separator: str) -> tuple[str, str]:
    """Return the value and the pk of a member; the reverse of :func:`member`: no pk holds the separator."""
    value, _, pk = text.rpartition(f":{separator}:")
    return value, pk


def pks_of(members: Iterable[str], separator: str) -> list[str]:
    """Return the pks of *members*, as :func:`member_of` tells them."""
    between = f":{separator}:"
    return [text.rpartition(between)[2] for text in members]
