"""``AnyModel``: what a model is, whether what waits is awaited or not (declare, say). An instance holds no data."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, overload

from uowredis import exceptions
from uowredis.collection.loaded import Loaded
from uowredis.collection.manager import CollectionManager
from uowredis.collection.many import is_empty
from uowredis.commands.commands import Create, Write, shared
from uowredis.commands.identity import Identity, State, check_current
from uowredis.commands.values import spelled
from uowredis.database import RedisDatabase
from uowredis.exceptions import (
    ArgumentError,
    ImplementationError,
    SessionError,
    attribute,
)
from uowredis.fields import Field, PKField
from uowredis.fields.instance_hash import InstanceHashCommands
from uowredis.fields.methods import M
from uowredis.model.declaration import MetaRedisModel, database_of, schema_of
from uowredis.model.misnamed import AWAITED_OF_AN_INSTANCE, OF_AN_INSTANCE
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Deciding
from uowredis.schema.models import Kind, ModelSchema
from uowredis.schema.multi import IndexKinds
from uowredis.session import context
from uowredis.session.door import Door
from uowredis.session.single import SingleCall, here

S = TypeVar("S")
T = TypeVar("T", bound="AnyModel[Any]")
C = TypeVar("C", bound=CollectionManager[Any, Any])


class _HasManager(Protocol[C]):
    """A model with a manager of its own."""

    collection_manager: type[C]


#: Not as an instance's own, which looks up each name; and no dict is made for it, as ``__dict__`` would make one.
set_quickly = object.__setattr__


class _Found:
    """The object of an instance of which only the primary key was found: made when it is first asked for.

    Of thousands that are found at once most are never asked, and each object more is one that is collected, too.
    """

    def __get__(self, instance: AnyModel[Any] | None, owner: type[AnyModel[Any]]) -> Any:
        if instance is None:
            return self
        schema, pk = owner._schema, instance._found_pk
        assert schema is not None
        made = Identity(schema.at(pk), pk, State.UNTESTED if instance._found_untested else State.STORED)
        # Of those that threads make at once the first one counts; no lock is needed, which a fork might leave shut.
        return instance.__dict__.setdefault("_identity", made)


class AnyModel(InstanceHashCommands[M], metaclass=MetaRedisModel):
    """What a model declares and its instances are, but for what waits for the server."""

    #: Whether it is of ``uowredis.aio``, where what waits is awaited.
    _is_awaited: ClassVar[bool] = False

    #: What looks for its objects, and what ``collection_manager`` is derived from.
    _own_manager: ClassVar[type[CollectionManager[Any, Any]]] = CollectionManager

    abstract: ClassVar[bool] = True

    if not TYPE_CHECKING:  # a type checker knows that of a model by what the model says: the database's own class
        database = None

    namespace: ClassVar[str] = ""
    place: ClassVar[str | None] = None
    stored_as: ClassVar[str | None] = None
    lockable: ClassVar[bool] = True
    default_indexes: ClassVar[IndexKinds | None] = None

    if not TYPE_CHECKING:  # a model's own is told from this one by being there: see collection()
        collection_manager = CollectionManager

    #: Each model has its own.
    DoesNotExist: ClassVar[type[exceptions.DoesNotExist]] = exceptions.DoesNotExist

    #: The primary key, also where it has another name.
    pk: ClassVar[PKField]
    #: The primary key that was found, where nothing else was known of the object.
    _found_pk: str
    #: It is looked up before its first write.
    _found_untested: bool = False
    if TYPE_CHECKING:
        _identity: Identity
    else:
        _identity = _Found()
    _loaded: Loaded = Loaded()
    #: Only get_or_connect() sets it.
    _others: Callable[[Overlay], Deciding[bool]] | None = None

    @classmethod
    def _creation(cls, schema: ModelSchema, values: dict[str, Any]) -> Create:
        """Return the command that creates an object with *values*, which are checked and spelled now.

        Raises:
            ArgumentError: for unknown names, a pk that cannot be, or values that Redis has no spelling for.
        """
        if not values.keys() <= cls._fields.keys():
            _check_names(schema, values, cls._fields)
        chosen = _chosen_pk(schema, values)
        identity = Identity(schema if chosen is None else schema.at(chosen), chosen)
        entries: list[str] = []
        in_entries: list[str] = []
        strings: list[str] = []
        in_strings: list[str] = []
        writes: list[Write[Any]] = []
        for name, field, facts, stored, as_given in cls._given:
            if name in values:
                value = values[name]
            elif field.default is not None:
                value = field.default() if callable(field.default) else field.default
            else:
                continue
            as_it_is = as_given and type(value) is str and value.isascii()
            if not as_it_is and ((value is None and field.holds is not None) or (field.many and is_empty(value))):
                continue
            first = value if as_it_is else field.first_write(identity, facts, value)
            if isinstance(first, Write):
                writes.append(first)
            elif facts.kind is Kind.ENTRY:
                entries.append(stored)
                in_entries.append(first)
            else:
                strings.append(stored)
                in_strings.append(first)
        named, called = shared(tuple(entries)), shared(tuple(strings))
        return Create(identity, named, tuple(in_entries), called, tuple(in_strings), tuple(writes))

    @classmethod
    def _session(cls, of: Identity | None = None) -> Door | SingleCall:
        """Return the door to the open session, or to one of a single call; *of*: the object that is spoken of."""
        database: RedisDatabase | None = cls.database  # type: ignore[attr-defined]  # as database_of(), for each call
        assert database is not None
        schema = cls._schema
        if schema is None or schema.successor is not None:
            schema = schema_of(cls)  # it raises
        return here(database, schema if of is None or schema.facets is None else of.model)

    @classmethod
    def _handle(
        cls: type[T], pk: str, created: Identity | None = None, *, tested: bool = True, loaded: Loaded | None = None
    ) -> T:
        """Return the instance with *pk* without asking whether it is there.

        Args:
            pk: its primary key.
            created: the object where the open session makes it; handles share its fate.
            tested: it was found to be there; else it is looked up before its first write.
            loaded: what was read of it.
        """
        instance = cls.__new__(cls)
        identity = created or Identity(schema_of(cls).at(pk), pk, State.STORED if tested else State.UNTESTED)
        set_quickly(instance, "_identity", identity)
        if loaded is not None:
            set_quickly(instance, "_loaded", loaded)
        return instance

    @classmethod
    def _handles(
        cls: type[T], pks: Sequence[str], made: Mapping[str | None, Identity], *, tested: bool = True
    ) -> list[T]:
        """Return the instances with *pks*, as :meth:`_handle` does; those *made* by the open session are told."""
        schema_of(cls)
        # Thousands of them are made at once.
        instances = list(map(cls.__new__, itertools.repeat(cls, len(pks))))
        for instance, pk in zip(instances, pks, strict=True):
            set_quickly(instance, "_found_pk", pk)
            if not tested:
                set_quickly(instance, "_found_untested", True)
            if made and pk in made:
                set_quickly(instance, "_identity", made[pk])
        return instances

    if not TYPE_CHECKING:  # else every attribute would be there, and could be set

        def __setattr__(self, name: str, value: Any) -> None:
            if not name.startswith("_") and not hasattr(type(self), name) and name not in _annotated(type(self)):
                raise AttributeError(
                    f"{type(self).__name__} has no field {name!r} to assign to, and nothing would be stored. Way out: "
                    f"a field is changed by a command, {', '.join(type(self)._fields)}; an attribute of your own is "
                    f"declared in the class ({name}: ...), or begins with '_'"
                )
            object.__setattr__(self, name, value)

        def __getattr__(self, name: str) -> Any:
            return attribute(
                self, type(self).__name__, name, AWAITED_OF_AN_INSTANCE if self._is_awaited else OF_AN_INSTANCE
            )

    def __copy__(self: T) -> T:
        """Return another handle of the same object; a copy shares its fate in an open session."""
        instance, _ = type(self).__new__(type(self)), self._identity
        instance.__dict__.update(self.__dict__)
        return instance

    def __deepcopy__(self: T, memo: dict[int, Any]) -> T:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        identity = self._identity
        if identity.pk is None or identity.state is State.CREATED:
            raise TypeError(f"{identity} is not in Redis yet and cannot be pickled. Way out: commit first")
        database = database_of(type(self))
        assert database is not None
        # Of a former class: what stands at its place now is what a pickle finds there.
        return _handle_of, (database._model_of(identity.model) or type(self), identity.pk)

    @overload
    @classmethod
    def collection(cls: type[_HasManager[C]], manager: None = None, **filters: Any) -> C: ...

    @overload
    @classmethod
    def collection(cls: type[T], manager: None = None, **filters: Any) -> CollectionManager[T]: ...

    @overload
    @classmethod
    def collection(cls, manager: type[C], **filters: Any) -> C: ...

    @classmethod
    def collection(cls, manager: Any = None, **filters: Any) -> Any:
        """Return a lazy query on the model; nothing is sent until it is looked at.

        Args:
            manager: the class of the collection, ``collection_manager`` of the model by default.
            filters: values of indexed fields (``headers__from=...`` for an entry of a HashField) or the pk, ANDed.

        Raises:
            ImplementationError: for a field without index, or one that is not there.
        """
        chosen = manager or cls.collection_manager  # type: ignore[attr-defined]
        if not (isinstance(chosen, type) and issubclass(chosen, cls._own_manager)):
            raise ImplementationError(
                f"{cls.__name__}.collection() takes a subclass of CollectionManager, not {chosen!r}"
            )
        collection = chosen(cls, schema_of(cls))._filter(filters)
        collection._be_noted()
        return collection

    @classmethod
    def get_field(cls, name: str) -> Field[Any]:
        """Return the declared field *name*, as the attribute of the class does.

        Raises:
            ImplementationError: for a name that is none of a field.
        """
        if name not in cls._fields:
            raise ImplementationError(
                f"{cls.__name__}.get_field() has no {name!r}. Way out: one of {', '.join(cls._fields)}"
            )
        return cls._fields[name]

    @property
    def loaded(self) -> Loaded:
        """What ``instances(load=...)`` read of the object, by the names that were given, as it was then.

        It is a mapping that stays as it is; a command of a field tells what the field holds now. Empty where nothing
        was loaded, and in another process.
        """
        return self._loaded

    @property
    def identity(self) -> Identity:
        """The object, for commands."""
        return self._identity

    @property
    def _pk(self) -> str | None:
        """The primary key, None while there is none; asking allocates nothing."""
        return self._identity.pk

    @property
    def _hashable_fields(self) -> list[str]:
        """The names of the InstanceHashFields."""
        return [name for name, field in type(self)._fields.items() if field.kind is Kind.ENTRY]

    @classmethod
    def use_database(cls, database: RedisDatabase) -> None:
        """Move the model to *database*, and its subclasses that were on the same one.

        Raises:
            ImplementationError: where a model of that name is there already, or the class was declared again; nothing
                is moved.
        """
        if cls._schema is not None:
            check_current(cls._schema)
        old = database_of(cls)
        if isinstance(old, RedisDatabase) and context.find(old) is not None:
            raise SessionError(
                f"{cls.__name__} cannot move while a session of its database is open. Way out: leave it first"
            )
        moving = [model for model in with_subclasses(cls) if database_of(model) is old]
        concrete = [model for model in moving if model._schema is not None]
        for model in concrete:
            database._check(model)
        for model in concrete:
            if isinstance(old, RedisDatabase):
                old._forget(model)
            database._take(model)
        for model in moving:
            model.database = database

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AnyModel):
            return NotImplemented
        if self is other:
            return True
        mine, theirs = self._identity, other._identity
        if mine is theirs or mine.pk is None or mine.pk != theirs.pk:
            return mine is theirs
        return mine.model is theirs.model or mine.model.latest is theirs.model.latest

    def __hash__(self) -> int:
        # Once taken it stays: a new object may be in a set before the commit gives it its primary key.
        return self._identity.stable_hash()

    def __repr__(self) -> str:
        return f"<{self._identity}>" if self._identity.pk is not None else str(self._identity)


def _annotated(model: type) -> set[str]:
    return {name for base in model.__mro__ for name in vars(base).get("__annotations__", ())}


def _handle_of(model: type[T], pk: str) -> T:
    """Return the handle that was pickled."""
    return model._handle(pk)


def with_subclasses(model: type[AnyModel[Any]]) -> list[type[AnyModel[Any]]]:
    """Return *model* and all that are derived from it, but those that were declared again."""
    found = dict.fromkeys([] if model._schema is not None and model._schema.successor is not None else [model])
    for subclass in model.__subclasses__():
        found |= dict.fromkeys(with_subclasses(subclass))
    return list(found)


def _check_names(schema: ModelSchema, values: dict[str, Any], fields: dict[str, Field[Any]]) -> None:
    if unknown := [name for name in values if name not in fields and name != "pk"]:
        raise ArgumentError(
            f"{schema.name} has no field {', '.join(map(repr, unknown))}. Way out: it has {', '.join(fields)}"
        )


def _chosen_pk(schema: ModelSchema, values: dict[str, Any]) -> str | None:
    given = "pk" in values or schema.pk_field in values
    if schema.auto and not given:
        return None
    names = [name for name in {"pk", schema.pk_field} if name in values]
    if schema.auto:
        value = values[names[0]]
        raise ArgumentError(
            f"{schema.name}.{schema.pk_field} is an AutoPKField and cannot be given {value!r}: Redis counts it. "
            f"Way out: leave it out, {schema.name}({value!r}) to get that object, or declare a PKField"
        )
    if len(names) != 1:
        raise ArgumentError(
            f"{schema.name} needs its primary key {schema.pk_field!r} (a PKField){', once' if names else ''}. Way out: "
            f"{schema.name}({schema.pk_field}=..., ...)"
        )
    pk = spelled(values[names[0]], schema.pk_holds, f"the primary key of {schema.name}")
    if reason := schema.why_not_a_pk(pk):
        raise ArgumentError(f"The primary key of {schema.name} cannot be {pk!r}: {reason}. Way out: choose another")
    return pk
