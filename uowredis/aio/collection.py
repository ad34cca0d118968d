"""``CollectionManager`` on the loop of asyncio: lazy queries that are awaited (say, and ask when asked)."""

# What is derived is awaited, and never taken for what it is derived from.
# mypy: disable-error-code="override, no-any-return"

from __future__ import annotations

import builtins
import functools
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeAlias, overload

from uowredis.aio.many import ChangesMany
from uowredis.aio.single import here
from uowredis.aio.unawaited import noted
from uowredis.collection import elsewhere, manager
from uowredis.collection.following import Following, order_of_following, place_of, told
from uowredis.collection.manager import DEFAULT_STORE_TTL
from uowredis.collection.page import Page
from uowredis.collection.refined import R, T, given_pks
from uowredis.collection.scattered import seeker_of
from uowredis.collection.seeker import Seeker
from uowredis.collection.slices import FURTHEST, span
from uowredis.commands.arguments import integer
from uowredis.commands.identity import Identity, State
from uowredis.commands.query import Order
from uowredis.exceptions import ArgumentTypeError, ImplementationError
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Deciding
from uowredis.planner.rehearsal import Rehearsal

if TYPE_CHECKING:
    from typing import Literal

    from uowredis.collection.refined import A, B, C, D
    from uowredis.fields.base import InRows

#: ``list`` is a method here.
Many: TypeAlias = list[Any]


class CollectionManager(ChangesMany[T, R], manager.CollectionManager[T, R], Generic[T, R]):
    """A lazy query on one model: looked at by ``async for``, or by awaiting what it is asked.

    Methods that refine it wait for nothing and return it, as on the blocking face; ``await c.list()``,
    ``await c.count()``, ``await c[0:10]`` and ``await c.contains(item)`` ask the server.
    """

    __hash__ = None  # it is compared with nothing

    if TYPE_CHECKING:

        def instances(
            self, skip_exist_test: bool = False, lazy: bool = False, *, load: Iterable[Any] = ()
        ) -> CollectionManager[T, T]:
            """Same as the blocking one."""

        def primary_keys(self) -> CollectionManager[T, str]:
            """Same as the blocking one."""

        @overload
        def values(self, *fields: str) -> CollectionManager[T, dict[str, Any]]: ...
        @overload
        def values(self, a: InRows[A], /) -> CollectionManager[T, dict[str, A]]: ...
        @overload
        def values(self, a: InRows[A], b: InRows[B], /) -> CollectionManager[T, dict[str, A | B]]: ...
        @overload
        def values(self, a: InRows[A], b: InRows[B], c: InRows[C], /) -> CollectionManager[T, dict[str, A | B | C]]: ...
        @overload
        def values(
            self, a: InRows[A], b: InRows[B], c: InRows[C], d: InRows[D], /
        ) -> CollectionManager[T, dict[str, A | B | C | D]]: ...
        @overload
        def values(self, *fields: str | InRows[Any]) -> CollectionManager[T, dict[str, object]]: ...
        def values(self, *fields: Any) -> Any:
            """Same as the blocking one."""

        @overload
        def values_list(self, field: str, /, *, flat: Literal[True]) -> CollectionManager[T, Any]: ...
        @overload
        def values_list(self, field: InRows[A], /, *, flat: Literal[True]) -> CollectionManager[T, A]: ...
        @overload
        def values_list(self, *fields: str, flat: Literal[False] = False) -> CollectionManager[T, tuple[Any, ...]]: ...
        @overload
        def values_list(self, a: InRows[A], /, *, flat: Literal[False] = False) -> CollectionManager[T, tuple[A]]: ...
        @overload
        def values_list(
            self, a: InRows[A], b: InRows[B], /, *, flat: Literal[False] = False
        ) -> CollectionManager[T, tuple[A, B]]: ...
        @overload
        def values_list(
            self, a: InRows[A], b: InRows[B], c: InRows[C], /, *, flat: Literal[False] = False
        ) -> CollectionManager[T, tuple[A, B, C]]: ...
        @overload
        def values_list(
            self, a: InRows[A], b: InRows[B], c: InRows[C], d: InRows[D], /, *, flat: Literal[False] = False
        ) -> CollectionManager[T, tuple[A, B, C, D]]: ...
        @overload
        def values_list(
            self, *fields: str | InRows[Any], flat: Literal[False] = False
        ) -> CollectionManager[T, tuple[object, ...]]: ...
        def values_list(self, *fields: Any, flat: bool = False) -> Any:
            """Same as the blocking one."""

    # Asking.

    async def _look(self, question: Callable[[Seeker], Deciding[Any]]) -> Any:
        self._check_waits()
        wanted, others = self._wanted, self._elsewhere()
        with here(self._database, self._schema) as session:
            return await session._find(lambda overlay: question(seeker_of(wanted, overlay, others)))

    def _elsewhere(self) -> dict[int, Any]:
        for value in elsewhere.not_on(self._wanted, self._database):
            raise ImplementationError(
                f"{value!r} is not on {self._database!r}, and is not asked from here. Way out: await it first, and "
                f"give what it holds"
            )
        return {}

    def _intersected(self, given: Any) -> Any:
        if not isinstance(given, list | tuple | set | frozenset):
            return super()._intersected(given)
        turns = given_pks(Overlay(Rehearsal(0, 0)), self._schema, given)
        try:
            next(turns)
        except StopIteration as end:
            return end.value
        raise ArgumentTypeError(
            "intersect() reads no fields, and no objects without primary key, that stand in a list. Way out: await "
            "their values first"
        )

    async def _fetch(self, start: int = 0, count: int | None = None, order: Order | None = None) -> Many:
        return self._given(*await self._look(lambda seeker: seeker.found(start, count, order)))

    @noted("_database")
    async def list(self) -> builtins.list[R]:
        """Return all that the collection gives, in one look."""
        return await self._fetch()

    async def __aiter__(self) -> AsyncIterator[R]:
        for item in await self._fetch():
            yield item

    async def iter(self, chunk: int = 1000) -> AsyncIterator[R]:
        """Yield what the collection gives without holding all of it (SSCAN): ``async for pk in c.iter():``.

        Args:
            chunk: about how many pks a round trip brings; as on the blocking face.
        """
        counted = integer(chunk, "chunk", 1)
        keys = await self._look(lambda seeker: seeker.scanned())
        if keys is None:
            for item in await self._fetch():
                yield item
            return
        for key in keys:
            cursor = ""
            while cursor != "0":
                call = ("SSCAN", key, cursor or "0", "COUNT", counted)
                cursor, pks = await self._look(functools.partial(Seeker.piece, call=call))
                for item in self._given(pks):
                    yield item

    @noted("_database")
    async def count(self) -> int:
        """Return how many match (SCARD where it is one set)."""
        return await self._look(lambda seeker: seeker.count())

    @noted("_database")
    async def exists(self) -> bool:
        """Same as the blocking one."""
        self._check_waits()
        if self._wanted.shape.looked_up or self._wanted.as_it_was_stored:
            return await self.count() > 0
        return await self._look(lambda seeker: seeker.has_some())

    @noted("_database")
    async def first(self) -> R | None:
        """Same as the blocking one."""
        found = await self._fetch(0, 1, Order())
        return found[0] if found else None

    @noted("_database")
    async def page(self, start: int, count: int) -> Page[R]:
        """Same as the blocking one."""
        first = int(integer(start, "start of page()", 0, FURTHEST))
        most = int(integer(count, "count of page()", 1, FURTHEST))
        *found, total = await self._look(lambda seeker: seeker.page(first, most))
        return Page(self._given(*found), total)

    @noted("_database")
    async def contains(self, item: Any) -> bool:
        """Return whether *item*, as the collection gives them, or an instance, is found."""
        self._check_waits()
        identity, kind = getattr(item, "identity", None), self._wanted.shape.kind
        if kind != "pks" and not (kind == "instances" and isinstance(identity, Identity)):
            return item in await self._fetch()
        if isinstance(identity, Identity) and (
            identity.model.declared is not self._schema or identity.state is State.EMPTY
        ):
            return False
        return await self._look(lambda seeker: seeker.contains(item))

    @overload
    async def __getitem__(self, index: int) -> R: ...
    @overload
    async def __getitem__(self, index: slice) -> builtins.list[R]: ...
    @noted("_database")
    async def __getitem__(self, index: int | slice) -> Any:
        """Return one item or a list, as a Python list would; without a sort the order is that of the primary keys."""
        if isinstance(index, slice):
            part = span(index)
            if part is None:
                return (await self._fetch(order=Order()))[index]
            return [] if part[1] == 0 else (await self._fetch(*part, Order()))[:: index.step]
        if not isinstance(index, int) or isinstance(index, bool):
            raise ArgumentTypeError(f"a collection takes integers and slices, not {type(index).__name__}")
        if index < 0:
            return (await self._fetch(order=Order()))[index]
        found = await self._fetch(index, 1, Order()) if index < FURTHEST else []
        if not found:
            raise IndexError(f"collection index {index} out of range")
        return found[0]

    @noted("_database")
    async def after(self, place: tuple[Any, Any] | None, count: int) -> Following[R]:
        """Return the *count* items that follow a *place* in the order of one field; same as the blocking one."""
        most = int(integer(count, "count of after()", 1))
        field, index = order_of_following(self._wanted)
        begin = place_of(self._wanted, field, index, place)
        found, created, last = await self._look(lambda seeker: seeker.following(most, index, begin))
        return Following(self._given(found, created), told(self._wanted, field, index, last))

    @noted("_database")
    async def store(self, key: str | None = None, ttl: int | None = DEFAULT_STORE_TTL) -> Self:
        """Store the primary keys found as a list (RPUSH, EXPIRE); return a new collection on it.

        Arguments and errors are those of the blocking face.
        """
        spelled = self._key_to_store(key)
        seconds = None if ttl is None else integer(ttl, "ttl", 1)
        shape = self._wanted.shape
        await self.copy().primary_keys()._look(lambda seeker: seeker.stored(spelled, seconds))
        return type(self)(self._model, self._schema)._told(stored=spelled, shape=shape)

    # For models and other collections.

    async def _as_stored(self) -> Many:
        """Same as the blocking one."""
        pks, _ = await self.copy().primary_keys()._look(lambda seeker: seeker.found())
        return pks

    async def _the_one(self) -> tuple[Many, str]:
        """Same as the blocking one."""
        return await self._look(lambda seeker: seeker.the_one())

    async def _has_some(self) -> bool:
        """Same as the blocking one."""
        return await self._look(lambda seeker: seeker.has_some())

    # What cannot wait.

    def _refuse(self, *_: object) -> NoReturn:
        raise ArgumentTypeError(
            f"A collection of {self._schema.name} is looked at by awaiting. Way out: async for, or await of its "
            f"list(), count(), contains(item) or a slice"
        )

    __iter__ = __len__ = __bool__ = __contains__ = __eq__ = _refuse

    def __repr__(self) -> str:
        return f"<a collection of {self._schema.name}>"
