"""``RedisModel``: objects whose fields live in Redis (declare, say). An instance holds no data, only its identity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar, overload

from uowredis import exceptions
from uowredis.collection.conditions import given_pk
from uowredis.collection.manager import CollectionManager
from uowredis.collection.many import is_empty
from uowredis.commands.commands import Create, Read, Write
from uowredis.commands.identity import Event, Identity, State, check_current
from uowredis.commands.values import spelled
from uowredis.database import RedisDatabase
from uowredis.exceptions import (
    ArgumentError,
    ImplementationError,
    SessionError,
    absent,
    attribute,
)
from uowredis.fields import Field, PKField
from uowredis.fields.instance_hash import InstanceHashCommands
from uowredis.fields.modes import Sync
from uowredis.model import getting
from uowredis.model.declaration import MetaRedisModel, database_of, schema_of
from uowredis.model.misnamed import OF_AN_INSTANCE
from uowredis.overlay.overlay import Overlay, gone
from uowredis.plan.requests import Deciding
from uowredis.schema.models import Kind, ModelSchema
from uowredis.schema.multi import IndexKinds
from uowredis.session import context
from uowredis.session.batches import BATCH, AfterBatch, Batches
from uowredis.session.door import Door
from uowredis.session.single import SingleCall, here

S = TypeVar("S")
T = TypeVar("T", bound="RedisModel")
C = TypeVar("C", bound=CollectionManager[Any, Any])


class _HasManager(Protocol[C]):
    """A model with a manager of its own."""

    collection_manager: type[C]


class RedisModel(InstanceHashCommands[Sync], Sync, metaclass=MetaRedisModel):
    """An object in Redis.

    ``Bike(name="x")`` creates one, ``Bike(1)`` gets the one with that primary key, ``Bike()`` is empty (unless fields
    have defaults) and gets its primary key with its first write. In a session creations and deletions wait for the
    commit like any write.

    Class attributes:
        database: where the objects are; mandatory.
        namespace: begins all keys of the model; "" by default.
        stored_as: stands in keys in the place of the class name in lower case, spelled as it is; not inherited.
        abstract: the class only hands down what it declares; not inherited.
        lockable: False makes all its fields ``lockable=False``.
        default_indexes: the kinds of index of its fields that are indexable and name none.
        collection_manager: the class of its collections.

    Raises:
        ArgumentError: for unknown names, a pk that cannot be, or values that Redis has no spelling for.
        DoesNotExist: for a pk that is not there.
        UniquenessError: for a unique value or a chosen pk that is taken; nothing of the object remains.
    """

    abstract: ClassVar[bool] = True
    if not TYPE_CHECKING:  # a type checker knows that of a model by what the model says: the database's own class
        database = None
    namespace: ClassVar[str] = ""
    stored_as: ClassVar[str | None] = None
    lockable: ClassVar[bool] = True
    default_indexes: ClassVar[IndexKinds | None] = None
    if not TYPE_CHECKING:  # a model's own is told from this one by being there: see collection()
        collection_manager = CollectionManager
    #: Each model has its own.
    DoesNotExist: ClassVar[type[exceptions.DoesNotExist]] = exceptions.DoesNotExist

    #: The primary key, also where it has another name.
    pk: ClassVar[PKField]
    _identity: Identity

    def __init__(self, *args: Any, **values: Any) -> None:
        schema = schema_of(type(self))
        if not args:
            self._create(schema, values)
            return
        if len(args) > 1 or values:
            raise ArgumentError(
                f"{schema.name} takes one primary key, or fields by name, not both. Way out: {schema.name}(pk) gets an "
                f"object, {schema.name}(field=value) creates one"
            )
        (given,) = args
        self._identity = self._find(lambda overlay: _with_pk(schema, given, overlay))

    def _create(self, schema: ModelSchema, values: dict[str, Any]) -> None:
        create = self._creation(schema, values)
        # Not by __setattr__, which looks up each name.
        identity = self.__dict__["_identity"] = create.identity
        with self._session() as session:
            # Only get_or_connect() leaves it: what must not be there when this is created.
            others = self.__dict__.pop("_others", None)
            if others is not None:
                session._create_alone(create, self, others)
            elif identity.pk is None and not create.entries and not create.strings and not create.writes:
                session._made(identity)
            else:
                session._create(create, self)

    @classmethod
    def _creation(cls, schema: ModelSchema, values: dict[str, Any]) -> Create:
        """Return the command that creates an object with *values*, which are checked and spelled now.

        Raises:
            ArgumentError: for unknown names, a pk that cannot be, or values that Redis has no spelling for.
        """
        if not values.keys() <= cls._fields.keys():
            _check_names(schema, values, cls._fields)
        identity = Identity(schema, _chosen_pk(schema, values))
        entries: list[tuple[str, str]] = []
        strings: list[tuple[str, str]] = []
        writes: list[Write[Any]] = []
        for name, field in cls._fields.items():
            if name in values:
                value = values[name]
            elif field.default is not None:
                value = field.default() if callable(field.default) else field.default
            else:
                continue
            if value is None and field.holds is not None:
                continue
            if name == schema.pk_field or (field.many and is_empty(value)):
                continue
            first = field.first_write(identity, schema.fields[name], value)
            if isinstance(first, Write):
                writes.append(first)
            elif field.kind is Kind.ENTRY:
                entries.append(first)
            else:
                strings.append(first)
        return Create(identity, tuple(entries), tuple(writes), tuple(strings))

    @classmethod
    def _session(cls) -> Door | SingleCall:
        """Return the door to the open session, or to one of a single call."""
        database: RedisDatabase | None = cls.database  # type: ignore[attr-defined]  # as database_of(), for each call
        assert database is not None
        return here(database, schema_of(cls))

    @classmethod
    def _find(cls, question: Callable[[Overlay], Deciding[S]]) -> S:
        with cls._session() as session:
            return session._find(question)

    @classmethod
    def _handle(cls: type[T], pk: str, created: Identity | None = None, *, tested: bool = True) -> T:
        """Return the instance with *pk* without asking whether it is there.

        Args:
            pk: its primary key.
            created: the object where the open session makes it; handles share its fate.
            tested: it was found to be there; else it is looked up before its first write.
        """
        instance = cls.__new__(cls)
        instance.__dict__["_identity"] = created or Identity(
            schema_of(cls), pk, State.STORED if tested else State.UNTESTED
        )
        return instance

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
            return attribute(self, type(self).__name__, name, OF_AN_INSTANCE)

    def __copy__(self: T) -> T:
        """Return another handle of the same object; a copy shares its fate in an open session."""
        instance = type(self).__new__(type(self))
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
        if not (isinstance(chosen, type) and issubclass(chosen, CollectionManager)):
            raise ImplementationError(
                f"{cls.__name__}.collection() takes a subclass of CollectionManager, not {chosen!r}"
            )
        schema = schema_of(cls)
        collection = chosen(cls, schema)._filter(filters)
        with cls._session() as session:
            collection._wait_for(session._look(collection, schema))
        return collection

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

    def _say(self, command: Read[Any] | Write[Any]) -> Any:
        with self._session() as session:
            return session._read(command) if isinstance(command, Read) else session._write(command)

    def _answer(self, read: Read[Any]) -> Any:
        """Answer *read* at once, in a pipeline, too."""
        with self._session() as session:
            return session._read_now(read)

    def _pk_now(self) -> str:
        """Return the primary key, allocated and created where there is none yet."""
        with self._session() as session:
            return session._allocate(self._identity)

    def to_dict(self) -> dict[str, Any]:
        """Return all that the object holds, in one round trip (GET, HGET, HGETALL, SMEMBERS, LRANGE, ZRANGE).

        In a session it is what will be held right after the commit; in a pipeline it is asked at once.

        Returns:
            Each field by its name, the primary key too, in the order of the declaration: a value or None, a set, a
            list, a dict of scores of a SortedSetField, a dict of a HashField. A reference is a primary key.

        Raises:
            DoesNotExist: where it was deleted, or made in a session that was rolled back.
            PendingWrites: in a session, where it cannot be known exactly.
            UnreadableValue: for what the type of its field cannot read.
        """
        return getting.to_dict(self)

    def delete(self) -> None:
        """Delete the object: its keys, its primary key, its places in indexes.

        Raises:
            DoesNotExist: where it is not there any more, or has never been.
        """
        identity = self._identity
        if identity.state in (State.DELETED, State.FORGOTTEN, State.EMPTY):
            raise gone(identity)
        with self._session() as session:
            session._delete(identity)

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

    @classmethod
    def exists(cls, pk: Any = None, **filters: Any) -> bool:
        """Return whether an object matches (SMISMEMBER, SCARD; SINTER where several index keys are combined).

        Args:
            pk: its primary key.
            filters: values of indexed fields, ``headers__from=...`` for an entry of an indexed HashField.

        Raises:
            ArgumentError: without any condition.
            ImplementationError: for a field without index, or one that is not there.
        """
        return getting.wanted_by(cls, pk, filters, "exists")._has_some()

    @classmethod
    def get(cls: type[T], pk: Any = None, **filters: Any) -> T:
        """Return the one object that matches; two at most are fetched (SRANDMEMBER).

        Args:
            pk: its primary key.
            filters: same as for :meth:`exists`.

        Raises:
            DoesNotExist: where none matches.
            ArgumentError: where several match, or without any condition.
            ImplementationError: for a field without index, or one that is not there.
        """
        return getting.get(cls, pk, filters)

    @classmethod
    def get_many(cls: type[T], pks: Iterable[Any], *, missing: Literal["raise", "skip"] = "raise") -> list[T]:
        """Return the objects with these primary keys, in the order given, in one round trip (SMISMEMBER).

        Args:
            pks: primary keys, or instances; what is given twice is there twice.
            missing: "skip" leaves out what is not there.

        Raises:
            DoesNotExist: where some are not there; it names them.
            ArgumentError: for another *missing*, or a pk that cannot be.
            ArgumentTypeError: for what is not several.
        """
        return getting.get_many(cls, pks, missing)

    @classmethod
    def lazy_connect(cls: type[T], pk: Any) -> T:
        """Return the object with *pk* without looking it up; sends nothing.

        It is looked up before its first write, or by the commit, which raise ``DoesNotExist`` where it is not there;
        what it reads there is nothing.

        Args:
            pk: its primary key.

        Raises:
            ArgumentError: for a pk that cannot be.
        """
        return getting.lazy_connect(cls, pk)

    @classmethod
    def create_many(
        cls: type[T], rows: Iterable[Mapping[str, Any]], *, batch: int = BATCH, progress: AfterBatch | None = None
    ) -> list[T]:
        """Create an object of each of *rows*, as the constructor does, and return them in this order.

        All rows are checked before anything is sent. Each *batch* of them is one commit, all or nothing. Where one is
        refused, those before it stay, a note of the error says how many, and of the others nothing is written. In an
        open session nothing is sent, and all of them are part of its commit.

        Args:
            rows: mappings of fields to values.
            batch: rows in a batch.
            progress: is called after each batch with how many rows are done, and of how many.

        Raises:
            ArgumentError: same as the constructor, and for a batch below 1.
            ArgumentTypeError: for what are no mappings, or a value that Redis has no spelling for.
            UniquenessError: for a unique value or a chosen pk that is taken.
            CommitError: where a commit is not applied, or nobody knows.
        """
        return getting.create_many(cls, rows, Batches("create_many", batch, progress))

    @classmethod
    def get_or_connect(cls: type[T], *, defaults: Mapping[str, Any] | None = None, **filters: Any) -> tuple[T, bool]:
        """Return the object that matches, or create it with these values; and whether it was created.

        That none matches is watched until the creation is committed, so that callers at the same time get one object:
        outside of sessions the others find it; a session in which it is created raises ``Conflict`` at its commit
        where it has come up since.

        Args:
            defaults: values of other fields, for a new object only.
            filters: values of indexed fields, or the primary key of a PKField.

        Raises:
            ArgumentError: same as :meth:`get`, and for what the constructor does not take, whether it is there or not.
            ImplementationError: same as :meth:`get`.
            UniquenessError: where another object holds one of several unique values given.
            Conflict: where it came and went for longer than the database's ``retry_for``.
        """
        return getting.get_or_connect(cls, filters, defaults)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RedisModel):
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


def with_subclasses(model: type[RedisModel]) -> list[type[RedisModel]]:
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


def _with_pk(schema: ModelSchema, given: Any, overlay: Overlay) -> Deciding[Identity]:
    """Return the object with the primary key that *given* says.

    Raises:
        DoesNotExist: where there is none.
    """
    pk = yield from given_pk(schema, given, overlay)
    if pk is None or not (yield from overlay.holds(schema, pk)):
        raise absent(schema, f"No {schema.name} found with pk {pk!r} (not in {schema.keys.collection!r})")
    if (created := overlay.created(schema, pk)) is not None:
        return created
    identity = Identity(schema, pk)
    identity.become(Event.FOUND)
    return identity


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
