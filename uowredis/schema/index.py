"""What an index is (declare): a function from the values of a field to entries, and what filters it answers.

A kind of index is a class; declared on a field it is bound to it. Everything else works on entries: the planner
subtracts them and merges those of one key, a check compares them with what is there, a query asks for them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

from uowredis.schema.keys import Keys
from uowredis.schema.lookup import Among, Lookup
from uowredis.values import BUILT_IN

if TYPE_CHECKING:
    from uowredis.schema.models import FieldSchema

#: (key, member, score): the key of an index, what it holds of an object, and its score where the key is a sorted set.
#: A plain tuple of text, because the garbage collector does not walk those.
IndexEntry: TypeAlias = tuple[str, str, str | None]

#: What may stand in filters, in keys, and in fingerprints.
_WORD = re.compile(r"(?!.*__)[\w-]+")

#: What filters for equal values say behind the name of a field.
EQUALITY = frozenset(("", "eq", "in"))


class Index:
    """A kind of index; :meth:`configure` gives one with other attributes.

    Attributes:
        prefix: stands in filters, ``born__year=``, and in keys.
        transform: what is indexed in place of a value: a function of it, or a method; of its text where the field has
            no type. None is not indexed. What filters ask for is taken as it is.
        key: stands in keys, to tell two indexes of one kind on one field apart.
        handle_uniqueness: whether values of a unique field are claimed by it.
        of_text: a transform sees the text that is stored, also where the field has a type.
        suffixes: what filters it answers: the words behind the last ``__``, "" for none.
        redis_type: of its keys.
        called: what fingerprints call the kind; a part of a transform's index is told apart.
        answers_alone: whether a filter on its field alone is answered.
    """

    called: ClassVar[str] = ""

    prefix: ClassVar[str | None] = None
    transform: ClassVar[Callable[..., Any] | None] = None
    key: ClassVar[str | None] = None
    handle_uniqueness: ClassVar[bool] = False
    of_text: ClassVar[bool] = False
    suffixes: ClassVar[frozenset[str]] = EQUALITY
    redis_type: ClassVar[str] = "set"
    answers_alone: ClassVar[bool] = True
    configurable: ClassVar[tuple[str, ...]] = ("prefix", "transform", "handle_uniqueness", "key", "of_text")

    def __init__(self, field: FieldSchema) -> None:
        self.field = field
        self.tail = tuple(part for part in (self.prefix, self.key) if part)
        self.by_entry = field.by_entry
        self._transformed = _transformed(self)

    @classmethod
    def configure(cls, *, name: str | None = None, **attributes: Any) -> type[Self]:
        """Return a subclass with other *attributes*.

        Args:
            name: of the class, as this one's by default.
            attributes: ``prefix``, ``transform``, ``handle_uniqueness``, ``key``, ``of_text``, and what the kind adds.

        Raises:
            TypeError: for another attribute, or one of another type.
        """
        if unknown := sorted(attributes.keys() - set(cls.configurable)):
            raise TypeError(
                f"{cls.__name__}.configure() has no {', '.join(map(repr, unknown))}. Way out: it takes name, "
                f"{', '.join(cls.configurable)}"
            )
        for word in ("prefix", "key"):
            given = attributes.get(word)
            if given is not None and not (isinstance(given, str) and _WORD.fullmatch(given)):
                raise TypeError(
                    f"{cls.__name__}.configure({word}=...) takes a word of letters, digits, '-' and '_', not {given!r}"
                )
        transform = attributes.get("transform")
        if transform is not None and not callable(transform):
            raise TypeError(f"{cls.__name__}.configure(transform=...) takes a function, not {transform!r}")
        if not isinstance(attributes.get("handle_uniqueness", False), bool):
            raise TypeError(f"{cls.__name__}.configure(handle_uniqueness=...) takes True or False")
        made: Any = type(name or cls.__name__, (cls,), attributes | {"__module__": cls.__module__})
        return made  # type: ignore[no-any-return]  # a class that is made by a call

    @classmethod
    def names_beside(cls) -> tuple[str, ...]:
        """Return the names of the other fields whose values it needs, too."""
        return ()

    @property
    def places(self) -> tuple[tuple[str, ...], ...]:
        """What begins its keys behind the name of the field, by their types: no other index may have one of them."""
        return ((self.redis_type, *self.tail),)

    @property
    def word(self) -> str:
        """What fingerprints call it: the kind, what stands in its keys, and whether it transforms."""
        transformed = "transformed" if self._transformed is not None else ""
        return ".".join(filter(None, (self.called or type(self).__name__.lower(), *self.tail, transformed)))

    # Entries.

    def entries(self, keys: Keys, found: Iterable[tuple[str, str]], pk: str) -> Iterator[IndexEntry]:
        """Yield what the index holds of the object *pk* whose field holds what was *found*: (entry, value) pairs.

        A value that cannot be indexed has no entry: nobody stored it with this index.
        """
        for entry, stored in found:
            try:
                value = self.seen(stored)
                made = None if value is None else self.entry(keys, entry, value, pk)
            except ValueError:
                continue
            if made is not None:
                yield made

    def check(self, keys: Keys, entry: str, stored: str) -> None:
        """Check that a value can be indexed.

        Raises:
            ValueError: where it cannot, with the reason.
        """
        value = self.seen(stored)
        if value is not None:
            self.entry(keys, entry, value, "")

    def seen(self, stored: str) -> str | None:
        """Return the text of what is indexed of a value that is *stored*, None for nothing.

        Raises:
            ValueError: where it is nothing that can be transformed.
        """
        # What stands for a value that is not known yet is no str itself.
        return stored if self._transformed is None or type(stored) is not str else self._transformed(stored)

    def entry(self, keys: Keys, entry: str, value: str, pk: str) -> IndexEntry:
        """Return what the index holds of the object *pk* for one *value*, as it is seen.

        Raises:
            ValueError: for one that cannot be indexed.
        """
        raise NotImplementedError

    def claims(self, keys: Keys, key: str) -> bool:
        """Return whether *key*, one of its own, stands for what is unique."""
        return self.field.unique and self.handle_uniqueness

    def type_of(self, keys: Keys, key: str) -> str:
        """Return the Redis type of *key*, one of its own."""
        return self.redis_type

    @property
    def picky(self) -> bool:
        """Whether there are values that it cannot index."""
        return self._transformed is not None

    def storage_key(self, keys: Keys, held: Sequence[tuple[str, str]]) -> str:
        """Return the key of one value of each of its fields: (entry, value) pairs.

        Raises:
            ValueError: for one that is not indexed.
        """
        ((entry, stored),) = held
        return self.entry(keys, entry, self._to_be_seen(stored), "")[0]

    def _to_be_seen(self, stored: str) -> str:
        value = self.seen(stored)
        if value is None:
            raise ValueError("its transform leaves it out")
        return value

    def pk_in(self, member: str) -> str:
        """Return the primary key in a *member* of one of its keys."""
        return member

    def owns(self, keys: Keys, key: str) -> bool:
        """Return whether *key*, one of the indexes of the field, is of this one, as far as its form tells."""
        raise NotImplementedError

    def parts(self, entry: str) -> tuple[str, ...]:
        """Return what stands in its keys behind the name of the field, but for the value."""
        return (entry, *self.tail) if self.by_entry else self.tail

    # Questions.

    @property
    def spells_freely(self) -> bool:
        """Whether filters ask for what a transform gives, which may be of another type than the field."""
        return self._transformed is not None

    def lookup(self, keys: Keys, entry: str, suffix: str, values: tuple[str, ...]) -> tuple[Lookup, ...]:
        """Return how objects are found by a filter: each by one of what is returned.

        Args:
            keys: of the model.
            entry: of a HashField.
            suffix: one of those that it answers.
            values: what it asks for, as text; several for ``in``.

        Raises:
            ValueError: for a value that it cannot compare with.
        """
        raise NotImplementedError


class EqualIndex(Index):
    """Finds objects by equal values: a set of primary keys for each value (SADD, SREM).

    Filters: ``field=``, ``field__eq=``, ``field__in=[...]``.
    """

    handle_uniqueness = True
    called = "equal"

    def __init__(self, field: FieldSchema) -> None:
        super().__init__(field)
        self._others: tuple[Index, ...] = ()

    def beside(self, others: Iterable[Index]) -> None:
        """Take note of the other indexes of the field: a value must not make one of their keys."""
        behind = len(self.tail)
        self._others = tuple(
            other for other in others if other is not self and other.tail[:behind] == self.tail and other.tail
        )

    @property
    def picky(self) -> bool:
        """Whether there are values that it cannot index."""
        return super().picky or bool(self._others)

    def entry(self, keys: Keys, entry: str, value: str, pk: str) -> IndexEntry:
        """Return the entry in the set of those with *value*.

        Raises:
            ValueError: where another index of the field has its keys there.
        """
        key = keys.index(self.field.stored, *self.parts(entry), value)
        for other in self._others:
            if other.owns(keys, key):
                raise ValueError(f"its index key {key!r} would be one of {type(other).__name__} of the same field")
        return key, pk, None

    def owns(self, keys: Keys, key: str) -> bool:
        """Return whether *key* is of this index, as far as its form tells."""
        return keys.value_behind(self.field.stored, key, self.tail, by_entry=self.by_entry) is not None

    def lookup(self, keys: Keys, entry: str, suffix: str, values: tuple[str, ...]) -> tuple[Lookup, ...]:
        """Return how objects with one of *values* are found."""
        stored, parts = self.field.stored, (entry, *self.tail) if self.by_entry else self.tail
        found: dict[str, None] = {}
        for value in values:
            found[keys.index(stored, *parts, value)] = None
        return (Among(tuple(found)),)


def _transformed(index: Index) -> Callable[[str], str | None] | None:
    """Return what makes the text that is indexed of a stored one, None where it is that itself."""
    given = inspect.getattr_static(type(index), "transform")
    function: Any = given.__func__ if isinstance(given, staticmethod) else given
    if function is None:
        return None
    bound = is_method(function)

    def transformed(stored: str) -> str | None:
        holds = index.field.holds
        try:
            value = stored if holds is None or index.of_text else holds.read(stored)
            found = function(index, value) if bound else function(value)
            return None if found is None else plainly(found)
        except Exception as error:
            raise ValueError(f"the transform of its {type(index).__name__} refuses it: {error!r}") from error

    return transformed


def is_method(function: Callable[..., Any]) -> bool:
    """Return whether *function* takes the index before the value."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [each for each in parameters if each.default is each.empty and each.kind <= each.POSITIONAL_OR_KEYWORD]
    return len(needed) == 2


def plainly(value: Any) -> str:
    """Return how a *value* that no field holds is spelled: that of a transform, or what a filter asks it for.

    Raises:
        TypeError: for what is no value of a type that is known.
    """
    if isinstance(value, str):
        value.encode("utf-8", "surrogateescape")
        return str.__str__(value)
    kind = BUILT_IN.get(type(value))
    if kind is None:
        raise TypeError(f"it must be text or a number, not {type(value).__name__}")
    return kind.spell(value)
