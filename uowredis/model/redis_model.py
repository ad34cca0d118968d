"""``RedisModel``: objects whose fields live in Redis (declare, say). An instance holds no data, only its identity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal, TypeVar

from uowredis.collection.conditions import given_pk
from uowredis.commands.between import Combined, Move
from uowredis.commands.commands import Create, Read, Write
from uowredis.commands.identity import Event, Identity, State
from uowredis.exceptions import (
    ArgumentError,
    absent,
)
from uowredis.fields.modes import Sync
from uowredis.model import getting, several
from uowredis.model.any_model import AnyModel, set_quickly
from uowredis.model.declaration import MetaRedisModel, schema_of
from uowredis.overlay.overlay import Overlay, gone
from uowredis.plan.requests import Deciding
from uowredis.schema.models import ModelSchema
from uowredis.session.batches import BATCH, AfterBatch, Batches

S = TypeVar("S")
T = TypeVar("T", bound="RedisModel")


class RedisModel(AnyModel[Sync], Sync, metaclass=MetaRedisModel):
    """An object in Redis.

    ``Bike(name="x")`` creates one, ``Bike(1)`` gets the one with that primary key, ``Bike()`` is empty (unless fields
    have defaults) and gets its primary key with its first write. In a session creations and deletions wait for the
    commit like any write.

    Class attributes:
        database: where the objects are; mandatory.
        namespace: begins all keys of the model; "" by default.
        place: stands in braces before all keys of the model, and of others with the same place: what is in one place is
            one slot of a Redis Cluster. Inherited; none by default.
        shards: the model is spread over so many places, by the primary key; see docs/cluster.md. Inherited.
        near: the name of a foreign key: an object is in the shard of the object that it refers to. Inherited.
        stored_as: stands in keys for the class name in lower case, spelled as it is; not inherited.
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
        self._identity = self._find(lambda overlay: with_pk(schema, given, overlay))

    def _create(self, schema: ModelSchema, values: dict[str, Any]) -> None:
        self._begin(self._creation(schema, values))

    def _begin(self, create: Create) -> None:
        """Be the object that *create* makes."""
        identity = create.identity
        set_quickly(self, "_identity", identity)
        with self._session(self._identity) as session:
            # Only get_or_connect() leaves it: what must not be there when this is created.
            if (others := self._others) is not None:
                del self._others
                session._create_alone(create, self, others)
            elif identity.pk is None and create.is_empty:
                session._made(identity)
            else:
                session._create(create, self)

    @classmethod
    def _find(cls, question: Callable[[Overlay], Deciding[S]]) -> S:
        with cls._session() as session:
            return session._find(question)

    def _say(self, command: Read[Any] | Write[Any] | Move[Any] | Combined[Any]) -> Any:
        with self._session(self._identity) as session:
            if isinstance(command, Read):
                return session._read(command)
            if isinstance(command, Write):
                return session._write(command)
            return session._move(command) if isinstance(command, Move) else session._combine(command)

    def _answer(self, read: Read[Any]) -> Any:
        """Answer *read* at once, in a pipeline, too."""
        with self._session(self._identity) as session:
            return session._read_now(read)

    def _pk_as(self, value: Callable[[str], S]) -> S:
        """Return the primary key as a *value*, allocated and created where there is none yet."""
        with self._session(self._identity) as session:
            return value(session._allocate(self._identity))

    def _follow(self, read: Read[Any], target: type[RedisModel], question: Callable[[Any, Overlay], Deciding[S]]) -> S:
        """Return what *question* finds of *target*, the model that the answer to *read* is of."""
        answer = self._answer(read)
        return target._find(lambda overlay: question(answer, overlay))

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
        return several.to_dict(self)

    def delete(self) -> None:
        """Delete the object: its keys, its primary key, its places in indexes.

        Raises:
            DoesNotExist: where it is not there any more, or has never been.
        """
        identity = self._identity
        if identity.state in (State.DELETED, State.FORGOTTEN, State.EMPTY):
            raise gone(identity)
        with self._session(self._identity) as session:
            session._delete(identity)

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
        return several.get_many(cls, pks, missing)

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
        return several.lazy_connect(cls, pk)

    @classmethod
    def create_many(
        cls: type[T], rows: Iterable[Mapping[str, Any]], *, batch: int = BATCH, progress: AfterBatch | None = None
    ) -> list[T]:
        """Create an object of each of *rows*, as the constructor does, and return them in this order.

        All rows are checked, and what is called for a default is, before anything is sent. Each *batch* of them is one
        commit, all or nothing. Where one is refused, those before it stay, a note of the error says how many, and of
        the others nothing is written. In an open session nothing is sent, and all of them are part of its commit. As
        for objects that are found, an ``__init__`` of a model's own is not called.

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
        return several.create_many(cls, rows, Batches("create_many", batch, progress))

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


def with_pk(schema: ModelSchema, given: Any, overlay: Overlay) -> Deciding[Identity]:
    """Return the object with the primary key that *given* says.

    Raises:
        DoesNotExist: where there is none.
    """
    pk = yield from given_pk(schema, given, overlay)
    if pk is not None:
        schema = overlay.speaking_of(schema.at(pk))
    if pk is None or not (yield from overlay.holds(schema, pk)):
        raise absent(schema, f"No {schema.name} found with pk {pk!r} (not in {schema.keys.collection!r})")
    if (created := overlay.created(schema, pk)) is not None:
        return created
    identity = Identity(schema, pk)
    identity.become(Event.FOUND)
    return identity
