"""Indexes of several fields (declare): what they hold follows from what all of them hold."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from uowredis.schema.index import EQUALITY, Index, IndexEntry
from uowredis.schema.keys import Keys, quoted, unquoted
from uowredis.schema.lookup import Among, Lookup
from uowredis.schema.ranges import score_of

if TYPE_CHECKING:
    from uowredis.schema.models import FieldSchema

#: What an object holds in each of the fields, by name: (entry, value) pairs.
Held = Mapping[str, Iterable[tuple[str, str]]]


class JointIndex(Index):
    """What both have in common: the field that declares it, its owner, and others beside it.

    Attributes:
        others: the fields beside it, once the model is known.
    """

    others: tuple[FieldSchema, ...] = ()

    def join(self, fields: Mapping[str, FieldSchema]) -> None:
        """Take the other fields from those of the model."""
        self.others = tuple(fields[name] for name in self.names_beside())

    def entries(self, keys: Keys, found: Iterable[tuple[str, str]], pk: str) -> Iterator[IndexEntry]:
        """Yield nothing: of one field alone nothing follows."""
        return iter(())

    def check(self, keys: Keys, entry: str, stored: str) -> None:
        """Check that a value of the owner can be indexed.

        Raises:
            ValueError: where it cannot, with the reason.
        """
        self.seen(stored)

    @property
    def word(self) -> str:
        """What fingerprints call it: by the other fields, too."""
        return ".".join((super().word, *(quoted(other.stored, also=" .") for other in self.others)))

    def joint_entries(self, keys: Keys, held: Held, pk: str) -> Iterator[IndexEntry]:
        """Yield what the index holds of the object *pk* that *held* this in each of the fields."""
        raise NotImplementedError

    def values_in(self, keys: Keys, key: str) -> Mapping[str, str]:
        """Return the values in one of its keys, by the names of the fields."""
        raise NotImplementedError

    def _own(self, held: Held) -> Iterator[tuple[str, str]]:
        """Yield what the owner holds, as it is indexed; what cannot be is left out: nobody stored it so."""
        for entry, stored in held.get(self.field.name, ()):
            try:
                value = self.seen(stored)
            except ValueError:
                continue
            if value is not None:
                yield entry, value


class EqualIndexWith(JointIndex):
    """Finds objects by equal values of several fields together: a set of primary keys for each of them (SADD, SREM).

    An object is in it while each of the fields holds something; with ``unique=True`` no two objects share all values.

    Filters: all of the fields in one call, each by ``field=``, ``field__eq=`` or ``field__in=[...]``.

    Attributes:
        other_fields: the names of the others.
        unique: whether the values are unique together.
    """

    key = "equal-with"
    called = "with"
    other_fields: ClassVar[tuple[str, ...]] = ()
    unique: ClassVar[bool] = False
    suffixes = EQUALITY
    answers_alone = False
    configurable = ("prefix", "transform", "key", "of_text", "other_fields", "unique")

    def __init__(self, field: FieldSchema) -> None:
        super().__init__(field)
        # Where a value holds what separates values, the plain key of two combinations would be one.
        self._quoted = (*self.tail[:-1], f"{self.tail[-1]}-quoted")

    @classmethod
    def configure(cls, *, name: str | None = None, **attributes: Any) -> type[Self]:
        """Return a subclass with other *attributes*: as ``Index.configure()``, ``other_fields`` and ``unique``.

        Raises:
            TypeError: for another attribute, or one of another type.
        """
        given = attributes.get("other_fields")
        if given is not None:
            listed = isinstance(given, list | tuple) and given and all(isinstance(each, str) for each in given)
            if not listed or len(set(given)) < len(given):
                raise TypeError(f"{cls.__name__}.configure(other_fields=...) takes a list of names, not {given!r}")
            attributes["other_fields"] = tuple(given)
        if not isinstance(attributes.get("unique", False), bool):
            raise TypeError(f"{cls.__name__}.configure(unique=...) takes True or False")
        return super().configure(name=name, **attributes)

    @classmethod
    def names_beside(cls) -> tuple[str, ...]:
        """Return the names of the other fields."""
        return cls.other_fields

    @property
    def fields(self) -> tuple[FieldSchema, ...]:
        """All of its fields, in the order of their values."""
        return (self.field, *self.others)

    @property
    def word(self) -> str:
        """What fingerprints call it: what is unique together is another one."""
        return f"unique-{super().word}" if self.unique else super().word

    @property
    def places(self) -> tuple[tuple[str, ...], ...]:
        """Both forms of its keys."""
        return (self.redis_type, *self.tail), (self.redis_type, *self._quoted)

    def joint_entries(self, keys: Keys, held: Held, pk: str) -> Iterator[IndexEntry]:
        """Yield an entry for each combination of values."""
        values = [list(self._own(held)), *([*held.get(other.name, ())] for other in self.others)]
        for combined in itertools.product(*values):
            yield self._key(keys, combined), pk, None

    def _key(self, keys: Keys, combined: Sequence[tuple[str, str]]) -> str:
        """Return the key of the (entry, value) of each field."""
        pairs = zip(self.fields, combined, strict=True)
        parts = [part for field, (entry, value) in pairs for part in ((entry, value) if field.by_entry else (value,))]
        tail = self.tail
        if any(":" in part for part in parts[:-1]):
            tail, parts = self._quoted, [*map(quoted, parts[:-1]), parts[-1]]
        return keys.index(self.field.stored, *tail, *parts)

    def storage_key(self, keys: Keys, held: Sequence[tuple[str, str]]) -> str:
        """Return the key of one value of each of its fields: (entry, value) pairs.

        Raises:
            ValueError: for one that is not indexed.
        """
        (entry, stored), *others = held
        return self._key(keys, [(entry, self._to_be_seen(stored)), *others])

    def claims(self, keys: Keys, key: str) -> bool:
        """Return whether *key*, one of its own, stands for what is unique."""
        return self.unique

    def owns(self, keys: Keys, key: str) -> bool:
        """Return whether *key* is of this index, as far as its form tells."""
        return self._parts(keys, key) is not None

    def _parts(self, keys: Keys, key: str) -> list[str] | None:
        many = sum(1 + field.by_entry for field in self.fields)
        for tail in (self.tail, self._quoted):
            rest = keys.value_behind(self.field.stored, key, tail, by_entry=False)
            parts = [] if rest is None else rest.split(":", many - 1)
            if len(parts) == many:
                return parts if tail is self.tail else [*map(unquoted, parts[:-1]), parts[-1]]
        return None

    def values_in(self, keys: Keys, key: str) -> Mapping[str, str]:
        """Return the values in one of its keys, by the names of the fields."""
        parts = iter(self._parts(keys, key) or ())
        found = {}
        for field in self.fields:
            if field.by_entry:
                next(parts)
            found[field.name] = next(parts)
        return found

    def lookup_together(self, keys: Keys, asked: Sequence[tuple[str, tuple[str, ...]]]) -> Lookup:
        """Return how objects are found by an entry and values of each field."""
        values = [[(entry, value) for value in dict.fromkeys(values)] for entry, values in asked]
        return Among(tuple(dict.fromkeys(self._key(keys, combined) for combined in itertools.product(*values))))


class ScoredEqualIndex(JointIndex):
    """Finds objects by equal values, in the order of the numbers of another field: a sorted set for each value (ZADD).

    An object is in it while the other field holds a number. Of a unique field a set beside it says who has a value.

    Filters: ``field=``, ``field__eq=``, ``field__in=[...]``.

    Attributes:
        score_field: the name of the other field, one with one value.
    """

    key = "equal-scored"
    called = "scored"
    redis_type = "zset"
    handle_uniqueness = True
    score_field: ClassVar[str | None] = None
    configurable = (*Index.configurable, "score_field")

    @classmethod
    def configure(cls, *, name: str | None = None, **attributes: Any) -> type[Self]:
        """Return a subclass with other *attributes*: as ``Index.configure()``, and ``score_field``.

        Raises:
            TypeError: for another attribute, or one of another type.
        """
        if not isinstance(attributes.get("score_field", ""), str):
            given = attributes["score_field"]
            raise TypeError(f"{cls.__name__}.configure(score_field=...) takes the name of a field, not {given!r}")
        return super().configure(name=name, **attributes)

    @classmethod
    def names_beside(cls) -> tuple[str, ...]:
        """Return the name of the field that gives the scores."""
        return () if cls.score_field is None else (cls.score_field,)

    @property
    def places(self) -> tuple[tuple[str, ...], ...]:
        """Its keys, and where there would be the sets of an EqualIndex."""
        return (self.redis_type, *self.tail), ("set", *self.tail)

    @property
    def picky(self) -> bool:
        """Whether there are values that it cannot index."""
        return super().picky or self.field.unique

    def check(self, keys: Keys, entry: str, stored: str) -> None:
        """Check that a value can be indexed.

        Raises:
            ValueError: where it cannot, with the reason.
        """
        value = self.seen(stored)
        if value is not None and self.field.unique and keys.is_holders(f":{value}"):
            raise ValueError("its index key would be the one that says who has another unique value")

    def check_joint(self, held: Held) -> None:
        """Check that the score is a number.

        Raises:
            ValueError: where it is none.
        """
        for other in self.others:
            for _, value in held.get(other.name, ()):
                if type(value) is str and score_of(value) is None:
                    raise ValueError(f"{other.name} gives the scores of an index and cannot hold {value!r}: no number")

    def entries(self, keys: Keys, found: Iterable[tuple[str, str]], pk: str) -> Iterator[IndexEntry]:
        """Yield who has which unique value; this follows from the owner alone."""
        if self.field.unique and self.handle_uniqueness:
            for entry, value in self._own({self.field.name: found}):
                yield keys.holders(self._key(keys, entry, value)), pk, None

    def joint_entries(self, keys: Keys, held: Held, pk: str) -> Iterator[IndexEntry]:
        """Yield an entry for each value, with the score."""
        for other in self.others:
            for _, number in held.get(other.name, ()):
                score = score_of(number) if type(number) is str else number
                if score is not None:
                    for entry, value in self._own(held):
                        yield self._key(keys, entry, value), pk, score

    def storage_key(self, keys: Keys, held: Sequence[tuple[str, str]]) -> str:
        """Return the key of one value of the owner: an (entry, value) pair.

        Raises:
            ValueError: for one that is not indexed.
        """
        ((entry, stored),) = held
        return self._key(keys, entry, self._to_be_seen(stored))

    def _key(self, keys: Keys, entry: str, value: str) -> str:
        return keys.index(self.field.stored, *self.parts(entry), value)

    def owns(self, keys: Keys, key: str) -> bool:
        """Return whether *key* is of this index, as far as its form tells."""
        return keys.value_behind(self.field.stored, key, self.tail, by_entry=self.by_entry) is not None

    def values_in(self, keys: Keys, key: str) -> Mapping[str, str]:
        """Return the value in one of its keys, by the name of the owner."""
        value = keys.value_behind(self.field.stored, key, self.tail, by_entry=self.by_entry) or ""
        return {self.field.name: keys.held(value) if self.claims(keys, key) else value}

    def type_of(self, keys: Keys, key: str) -> str:
        """Return the Redis type of *key*, one of its own."""
        return "set" if self.claims(keys, key) else self.redis_type

    def claims(self, keys: Keys, key: str) -> bool:
        """Return whether *key*, one of its own, stands for what is unique."""
        return super().claims(keys, key) and keys.is_holders(key)

    def lookup(self, keys: Keys, entry: str, suffix: str, values: tuple[str, ...]) -> tuple[Lookup, ...]:
        """Return how objects with one of *values* are found."""
        found = tuple(self._key(keys, entry, value) for value in dict.fromkeys(values))
        return (Among(found, self.others[0].name),)
