"""``Field``, as declared on a model (declare)."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    Never,
    NoReturn,
    Protocol,
    Self,
    TypedDict,
    TypeVar,
    Unpack,
    overload,
)

from uowredis.commands.arguments import listed, text
from uowredis.commands.commands import Write
from uowredis.commands.identity import Identity
from uowredis.commands.values import spelled
from uowredis.exceptions import ArgumentError, ImplementationError
from uowredis.fields.bound import Bound
from uowredis.fields.indexes import RANGE, check_together, checked_indexes, declared_indexes
from uowredis.fields.methods import V
from uowredis.fields.modes import Async, Sync, one_class
from uowredis.fields.stored_index import StoredIndex, stored_index
from uowredis.schema.index import EqualIndex, Index
from uowredis.schema.models import FieldSchema, Kind, ModelSchema
from uowredis.schema.multi import IndexKinds
from uowredis.values import Codec, ValueType, value_type

B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)
T = TypeVar("T")


class _Binds(Protocol[B_co]):
    """A declared field, as far as what it is of one instance: its own ``bound``, also where that is a user's."""

    @property
    def bound(self) -> type[B_co]: ...


class _BindsLater(Protocol[B_co]):
    """The same on the asyncio face."""

    @property
    def bound_later(self) -> type[B_co]: ...


class InRows(Protocol[B_co]):
    """A declared field, as far as what rows of a collection hold of it."""

    @property
    def _in_rows(self) -> B_co: ...


class Options(TypedDict, total=False):
    """What most fields can be told."""

    indexable: bool | Literal["range"]
    unique: bool
    lockable: bool
    stored_as: str | None
    indexes: IndexKinds | None
    none: bool


class Field(Generic[V]):
    """A declared field.

    Args:
        type: what its values are: ``str``, ``bytes``, ``int``, ``float``, ``Decimal``, ``bool``, ``date``,
            ``datetime``, ``time``, ``timedelta``, ``UUID``, an ``Enum``, ``Json``, or a codec of your own; by default
            text and numbers are taken, and text is given.
        indexable: objects can be found by its value; ``"range"``: by smaller and larger ones, too.
        indexes: the kinds of its indexes, by default an ``EqualIndex``.
        none: objects can be found by that they hold nothing; of a field with many values all is then read to change it.
        unique: as indexable, and no two objects share a value.
        lockable: False plans no watches for this field: faster, and two writers at once may leave a stale index entry.
        stored_as: its name in Redis, where that is not the name of the attribute.

    Raises:
        ImplementationError: for options the field does not have.
    """

    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(one_class)

    kind: ClassVar[Kind]
    many: ClassVar[bool] = True
    bound: type[Bound[V, V, Any]] = Bound
    #: Whether its values are told apart, as members of a set are.
    tells_apart: ClassVar[bool] = False
    #: The kinds of index of fields of this class that name none themselves.
    default_indexes: ClassVar[IndexKinds | None] = None

    def __init__(
        self,
        *,
        type: type[V] | Codec[V] | None = None,  # the word for it
        indexable: bool | Literal["range"] = False,
        unique: bool = False,
        lockable: bool = True,
        stored_as: str | None = None,
        indexes: IndexKinds | None = None,
        none: bool = False,
        **unknown: Never,
    ) -> None:
        called = self.__class__.__name__
        if unknown:
            raise ImplementationError(
                f"{called} has no option {', '.join(map(repr, sorted(unknown)))}. Way out: it takes "
                f"{', '.join(self._options())}"
            )
        ranged = indexable == RANGE
        flags = {"indexable": indexable or ranged, "unique": unique, "lockable": lockable, "none": none}
        for option, given in flags.items():
            if not isinstance(given, bool) and not (option == "indexable" and ranged):
                raise ImplementationError(f"{called}: {option} must be True or False, not {given!r}")
        if stored_as is not None and not isinstance(stored_as, str):
            raise ImplementationError(f"{called}: stored_as must be text, not {stored_as!r}")
        try:
            self._type: ValueType[Any] | None = value_type(type)
            self.declared_type = type
        except (TypeError, ImportError) as error:
            raise ImplementationError(f"{called}: {error}") from error
        if self.tells_apart and self._type is not None and not self._type.hashable:
            raise ImplementationError(
                f"{called} tells its values apart, and those of {self._type.name} are not hashable. Way out: a "
                f"ListField or HashField, or a type whose values are, e.g. a frozen class"
            )
        self.name = ""
        self.model: str = ""
        self._of: ModelSchema | None = None
        self._others: Mapping[str, Field[Any]] = {}
        self.indexable = bool(indexable) or unique
        self.unique = unique
        self.none = none
        self._declared = declared_indexes(self, indexes, ranged=ranged)
        self.lockable = lockable
        self.stored_as = stored_as
        self.default: Any = None

    def _options(self) -> tuple[str, ...]:
        return ("type", "indexable", "unique", "lockable", "stored_as", "indexes", "none")

    @property
    def stored(self) -> str:
        """The name of the field in Redis."""
        return self.name if self.stored_as is None else self.stored_as

    @property
    def holds(self) -> ValueType[Any] | None:
        """What its values are, None for text and numbers, as text."""
        return self._type

    def named(self, name: str, model: str) -> Self:
        """Return a copy of the field under *name* on *model*: each model has fields of its own."""
        field = copy.copy(self)
        field.name, field.model = name, model
        field._of = None
        return field

    def declared_on(self, schema: ModelSchema, fields: Mapping[str, Field[Any]]) -> None:
        """Learn the facts of the model, and its other *fields*."""
        self._of, self._others = schema, fields

    def beside(self, name: str) -> Field[Any]:
        """Return the field *name* of the same model."""
        return self._others[name]

    def get_index(
        self, kind: type[Index] | None = None, key: str | None = None, prefix: str | None = None
    ) -> StoredIndex:
        """Return an index of the field, for its keys: the first one that is as is said.

        Args:
            kind: its class, or one that it is derived from.
            key: what tells it apart from another of its kind.
            prefix: what stands in filters.

        Raises:
            ImplementationError: where there is no such index.
        """
        return stored_index(self, self._of, kind, key, prefix)

    def check_model(self, model: type) -> None:
        """Check that the field can be declared on *model*; any model will do for most.

        Raises:
            ImplementationError: where it cannot.
        """

    def schema(self, lockable: bool, default_indexes: IndexKinds | None = None) -> FieldSchema:
        """Return what was declared, as facts.

        Args:
            lockable: what the model says.
            default_indexes: what the model says of fields that say nothing.

        Raises:
            ImplementationError: for indexes that cannot stand together.
        """
        if self._declared is not None:
            declared = self._declared
        else:
            declared = checked_indexes(self, self.default_indexes or default_indexes or (EqualIndex,))
        schema = FieldSchema(
            self.name,
            self.kind,
            self.indexable,
            self.unique,
            self.lockable and lockable,
            own=self._type,
            stored=self.stored,
            declared=declared,
            none=self.none,
        )
        check_together(self, schema)
        return schema

    def spell(self, value: Any) -> str:
        """Return *value* as the text that is stored.

        Raises:
            ArgumentError: for what has no spelling.
        """
        return text(value, self) if self._type is None else spelled(value, self._type, self)

    def spell_all(self, values: Iterable[Any]) -> tuple[str, ...]:
        """Return all *values* as :meth:`spell` does; at least one is needed.

        Raises:
            ArgumentError: for no value at all, or one that has no spelling.
        """
        spelled = tuple(map(self.spell, values))
        if not spelled:
            raise ArgumentError(f"{self} is given nothing: give at least one value")
        return spelled

    def _listed(self, value: Any) -> Iterable[Any]:
        """Return what a constructor was given for many values as an iterable: one value, or the values."""
        if self.holds is None:
            return listed(value)
        # One value of a type may be a mapping, text or bytes.
        return value if isinstance(value, list | tuple | set | frozenset | Iterator) else (value,)

    def first_write(self, identity: Identity, schema: FieldSchema, value: Any) -> Write[Any] | str:
        """Return what stores *value* given to a constructor: a write, or the text of a string or entry."""
        raise ImplementationError(f"{self} takes no value in the constructor")

    @property
    def stores_text_as_given(self) -> bool:
        """Whether plain text that a constructor is given is the first value, and nothing else is made of it."""
        return False

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self: _Binds[B], instance: Sync, owner: type) -> B: ...
    @overload
    def __get__(self: _BindsLater[B], instance: Async, owner: type) -> B: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else self.bound(instance, self)

    def __set__(self, instance: object, value: Never) -> NoReturn:
        raise AttributeError(
            f"{self} cannot be assigned to. Way out: a command of the field, e.g. {self.name}.{self._setter()}(...)"
        )

    def __delete__(self, instance: object) -> NoReturn:
        raise AttributeError(f"{self} cannot be deleted so. Way out: {self.name}.delete()")

    def _setter(self) -> str:
        return "set"

    def __repr__(self) -> str:
        return f"{self.model}.{self.name}" if self.name else f"<{type(self).__name__}>"


class SingleValueField(Field[V]):
    """A field that holds one value, and so may have a default.

    Args:
        default: the value of new objects that are given none, or what is called for it, e.g. ``datetime.now``.
        type: as for every field.
        options: as for every field.

    Raises:
        ImplementationError: for a default on a unique field, which two objects would share.
    """

    many = False

    if TYPE_CHECKING:

        @property
        def _in_rows(self) -> V | None: ...

    def __init__(
        self,
        *,
        default: Any = None,
        type: type[V] | Codec[V] | None = None,  # the word for it
        **options: Unpack[Options],
    ) -> None:
        super().__init__(type=type, **options)
        called = self.__class__.__name__
        if default is not None and self.unique and not callable(default):
            raise ImplementationError(
                f"{called} cannot be unique and have the default {default!r}: two objects would share it"
            )
        if default is not None and not callable(default):
            self._check_default(default)
        self.default = default

    def _check_default(self, default: Any) -> None:
        """Check that *default* can be stored.

        Raises:
            ImplementationError: where it cannot.
        """
        try:
            spelled(default, self._type, f"the default of a {self.__class__.__name__}")
        except ArgumentError as error:
            raise ImplementationError(f"{error}") from None

    def _options(self) -> tuple[str, ...]:
        return ("default", *super()._options())

    def first_write(self, identity: Identity, schema: FieldSchema, value: Any) -> str:
        """Return the text; a constructor stores entries by one HSET, each string by a SET."""
        return self.spell(value)

    @property
    def stores_text_as_given(self) -> bool:
        """Same as for every field; a subclass may make something else of it."""
        of_class = self.__class__.spell is Field.spell and self.__class__.first_write is SingleValueField.first_write
        return of_class and self.holds is None
