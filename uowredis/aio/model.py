"""``RedisModel`` on the loop of asyncio: objects whose fields are awaited (declare, say)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, misc, attr-defined, arg-type, no-any-return"

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, overload

from uowredis.aio import getting, several
from uowredis.aio.batches import Batches
from uowredis.aio.collection import CollectionManager
from uowredis.aio.single import SingleCall, here
from uowredis.aio.unawaited import noted
from uowredis.collection import manager
from uowredis.commands.between import Combined, Move
from uowredis.commands.commands import Create, Read, Write
from uowredis.commands.identity import Identity, State
from uowredis.exceptions import ArgumentTypeError
from uowredis.fields.modes import Async
from uowredis.model.any_model import AnyModel, set_quickly
from uowredis.model.declaration import MetaRedisModel, schema_of
from uowredis.overlay.overlay import Overlay, gone
from uowredis.plan.requests import Deciding
from uowredis.session import context
from uowredis.session.batches import BATCH, AfterBatch
from uowredis.session.door import Door

S = TypeVar("S")
T = TypeVar("T", bound="RedisModel")
C = TypeVar("C", bound=CollectionManager[Any, Any])


class RedisModel(AnyModel[Async], Async, metaclass=MetaRedisModel):
    """An object in Redis, whose commands are awaited.

    ``await Bike.create(name="x")`` creates one, ``await Bike.get(1)`` gets the one with that primary key. In a session
    a write is said without ``await``, and waits for the commit; outside of one it is sent when it is awaited. Class
    attributes are those of the blocking :class:`uowredis.RedisModel`.

    Raises:
        ArgumentTypeError: when it is called: a constructor cannot wait.
    """

    abstract: ClassVar[bool] = True
    collection_manager: ClassVar[type[manager.CollectionManager]] = CollectionManager
    _own_manager: ClassVar[type[manager.CollectionManager]] = CollectionManager
    _is_awaited: ClassVar[bool] = True

    def __init__(self, *args: Any, **values: Any) -> None:
        name = type(self).__name__
        raise ArgumentTypeError(
            f"{name}(...) would have to wait, and a constructor cannot. Way out: await {name}.create(field=value), or "
            f"await {name}.get(pk)"
        )

    if TYPE_CHECKING:

        @overload
        @classmethod
        def collection(cls: type[T], manager: None = None, **filters: Any) -> CollectionManager[T]: ...
        @overload
        @classmethod
        def collection(cls, manager: type[C], **filters: Any) -> C: ...
        @classmethod
        def collection(cls, manager: Any = None, **filters: Any) -> Any:
            """Same as the blocking one."""

    @classmethod
    @noted("database")
    async def create(cls: type[T], **values: Any) -> T:
        """Create an object with *values*; in a session it waits for the commit.

        Without values (and defaults) the object is empty, and is created by its first write.

        Args:
            values: of fields, by name; the primary key where it is a PKField.

        Raises:
            ArgumentError: for unknown names, a pk that cannot be, or values that Redis has no spelling for.
            UniquenessError: for a unique value or a chosen pk that is taken; nothing of the object remains.
        """
        instance = cls.__new__(cls)
        await instance._begin(cls._creation(schema_of(cls), values))
        return instance

    @classmethod
    def _session(cls, of: Identity | None = None) -> Door | SingleCall:
        database = cls.database
        assert database is not None
        schema = cls._schema
        if schema is None or schema.successor is not None:
            schema = schema_of(cls)  # it raises
        return here(database, schema if of is None or schema.facets is None else of.model)

    def _say(self, command: Read[Any] | Write[Any] | Move[Any] | Combined[Any]) -> Any:
        """Say what the open session takes; else return what answers *command* when it is awaited."""
        opened = context.find(self.database)
        if opened is not None and opened._takes(command):
            with self._session(self._identity) as session:
                return session._read(command) if isinstance(command, Read) else session._write(command)
        answer = self._answered(command)
        # What Python names where nobody awaits it.
        answer.__qualname__ = str(command)
        if opened is not None:
            opened._unawaited.note(answer)
        return answer

    async def _answered(self, command: Read[Any] | Write[Any] | Move[Any] | Combined[Any]) -> Any:
        with self._session(self._identity) as session:
            if isinstance(command, Read):
                return await session._read(command)
            if isinstance(command, Write):
                return await session._write(command)
            return await (session._move(command) if isinstance(command, Move) else session._combine(command))

    async def _begin(self, create: Create) -> None:
        """Same as the blocking one."""
        identity = create.identity
        set_quickly(self, "_identity", identity)
        with self._session(self._identity) as session:
            # Only get_or_connect() leaves it: what must not be there when this is created.
            if (others := self._others) is not None:
                del self._others
                await session._create_alone(create, self, others)
            elif identity.pk is None and create.is_empty:
                session._made(identity)
            elif (sent := session._create(create, self)) is not None:
                # With no session open.
                await sent

    @classmethod
    async def _find(cls, question: Callable[[Overlay], Deciding[S]]) -> S:
        with cls._session() as session:
            return await session._find(question)

    async def _answer(self, read: Read[Any]) -> Any:
        """Same as the blocking one."""
        with self._session(self._identity) as session:
            return await session._read_now(read)

    @noted("database", "pk.get")
    async def _pk_as(self, value: Callable[[str], S]) -> S:
        """Same as the blocking one."""
        with self._session(self._identity) as session:
            return value(await session._allocate(self._identity))

    @noted("database", "instance")
    async def _follow(
        self, read: Read[Any], target: type[RedisModel], question: Callable[[Any, Overlay], Deciding[S]]
    ) -> S:
        """Same as the blocking one."""
        answer = await self._answer(read)
        return await target._find(lambda overlay: question(answer, overlay))

    @noted("database")
    async def to_dict(self) -> dict[str, Any]:
        """Same as the blocking one."""
        return await several.to_dict(self)

    @noted("database")
    async def delete(self) -> None:
        """Same as the blocking one."""
        identity = self._identity
        if identity.state in (State.DELETED, State.FORGOTTEN, State.EMPTY):
            raise gone(identity)
        with self._session(self._identity) as session:
            await session._delete(identity)

    @classmethod
    @noted("database")
    async def exists(cls, pk: Any = None, **filters: Any) -> bool:
        """Same as the blocking one."""
        return await getting.wanted_by(cls, pk, filters, "exists")._has_some()

    @classmethod
    @noted("database")
    async def get(cls: type[T], pk: Any = None, **filters: Any) -> T:
        """Same as the blocking one."""
        return await getting.get(cls, pk, filters)

    @classmethod
    @noted("database")
    async def get_many(cls: type[T], pks: Iterable[Any], *, missing: Literal["raise", "skip"] = "raise") -> list[T]:
        """Same as the blocking one."""
        return await several.get_many(cls, pks, missing)

    @classmethod
    @noted("database")
    async def lazy_connect(cls: type[T], pk: Any) -> T:
        """Same as the blocking one; what it waits for is a field that is given for *pk*."""
        return await several.lazy_connect(cls, pk)

    @classmethod
    @noted("database")
    async def create_many(
        cls: type[T], rows: Iterable[Mapping[str, Any]], *, batch: int = BATCH, progress: AfterBatch | None = None
    ) -> list[T]:
        """Same as the blocking one; *progress* may be a coroutine function."""
        return await several.create_many(cls, rows, Batches("create_many", batch, progress))

    @classmethod
    @noted("database")
    async def get_or_connect(
        cls: type[T], *, defaults: Mapping[str, Any] | None = None, **filters: Any
    ) -> tuple[T, bool]:
        """Same as the blocking one."""
        return await getting.get_or_connect(cls, filters, defaults)
