# The decorators of overloads.py, as type checkers see them: each is generic in the replies that it knows, which are
# something to await on the asyncio face.

from collections.abc import Awaitable, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar, overload

from uowredis.commands.arguments import Value
from uowredis.fields.bound import Bound
from uowredis.fields.modes import Async, Sync

W = TypeVar("W")
# What is taken beside text, bytes and numbers.
G = TypeVar("G", contravariant=True)
H = TypeVar("H", contravariant=True)
# The reply, and those where an argument asks for another one.
R = TypeVar("R", covariant=True)
S = TypeVar("S", covariant=True)
T = TypeVar("T", covariant=True)

class popped(Generic[R, S]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> popped[W | None, list[W] | None]: ...
    @overload
    def __get__(
        self, sayer: Bound[W, Any, Async], owner: type
    ) -> popped[Awaitable[W | None], Awaitable[list[W] | None]]: ...
    @overload
    def __call__(self, count: None = None) -> R: ...
    @overload
    def __call__(self, count: int) -> S: ...

class drawn(Generic[R, S]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> drawn[W | None, list[W]]: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Async], owner: type) -> drawn[Awaitable[W | None], Awaitable[list[W]]]: ...
    @overload
    def __call__(self, count: None = None) -> R: ...
    @overload
    def __call__(self, count: int) -> S: ...

class shown(Generic[R, S]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> shown[W | None, list[W]]: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Async], owner: type) -> shown[Awaitable[W | None], Awaitable[list[W]]]: ...
    @overload
    def __call__(self, number: None = None) -> R: ...
    @overload
    def __call__(self, number: int) -> S: ...

class shown_scored(Generic[R, S, T]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(
        self, sayer: Bound[W, Any, Sync], owner: type
    ) -> shown_scored[W | None, list[W], list[tuple[W, float]]]: ...
    @overload
    def __get__(
        self, sayer: Bound[W, Any, Async], owner: type
    ) -> shown_scored[Awaitable[W | None], Awaitable[list[W]], Awaitable[list[tuple[W, float]]]]: ...
    @overload
    def __call__(self, count: None = None, withscores: Literal[False] = False) -> R: ...
    @overload
    def __call__(self, count: int, withscores: Literal[False] = False) -> S: ...
    @overload
    def __call__(self, count: int, withscores: Literal[True]) -> T: ...
    @overload
    def __call__(self, count: int, withscores: bool) -> S | T: ...

class shown_valued(Generic[R, S, T]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(
        self, sayer: Bound[W, Any, Sync], owner: type
    ) -> shown_valued[str | None, list[str], list[tuple[str, W]]]: ...
    @overload
    def __get__(
        self, sayer: Bound[W, Any, Async], owner: type
    ) -> shown_valued[Awaitable[str | None], Awaitable[list[str]], Awaitable[list[tuple[str, W]]]]: ...
    @overload
    def __call__(self, count: None = None, withvalues: Literal[False] = False) -> R: ...
    @overload
    def __call__(self, count: int, withvalues: Literal[False] = False) -> S: ...
    @overload
    def __call__(self, count: int, withvalues: Literal[True]) -> T: ...
    @overload
    def __call__(self, count: int, withvalues: bool) -> S | T: ...

class placed(Generic[R, S, G]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[Any, H, Sync], owner: type) -> placed[int | None, list[int], H]: ...
    @overload
    def __get__(
        self, sayer: Bound[Any, H, Async], owner: type
    ) -> placed[Awaitable[int | None], Awaitable[list[int]], H]: ...
    @overload
    def __call__(
        self, value: Value | G, rank: int | None = None, count: None = None, maxlen: int | None = None
    ) -> R: ...
    @overload
    def __call__(self, value: Value | G, rank: int | None = None, *, count: int, maxlen: int | None = None) -> S: ...

class stored(Generic[R, S, G]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, H, Sync], owner: type) -> stored[bool | None, W | None, H]: ...
    @overload
    def __get__(
        self, sayer: Bound[W, H, Async], owner: type
    ) -> stored[Awaitable[bool | None], Awaitable[W | None], H]: ...
    @overload
    def __call__(
        self,
        value: Value | G,
        ex: int | timedelta | None = None,
        px: int | timedelta | None = None,
        nx: bool = False,
        xx: bool = False,
        keepttl: bool = False,
        get: Literal[False] = False,
        exat: int | datetime | None = None,
        pxat: int | datetime | None = None,
    ) -> R: ...
    @overload
    def __call__(
        self,
        value: Value | G,
        ex: int | timedelta | None = None,
        px: int | timedelta | None = None,
        nx: bool = False,
        xx: bool = False,
        keepttl: bool = False,
        *,
        get: Literal[True],
        exat: int | datetime | None = None,
        pxat: int | datetime | None = None,
    ) -> S: ...
    @overload
    def __call__(
        self,
        value: Value | G,
        ex: int | timedelta | None = None,
        px: int | timedelta | None = None,
        nx: bool = False,
        xx: bool = False,
        keepttl: bool = False,
        get: bool = False,
        exat: int | datetime | None = None,
        pxat: int | datetime | None = None,
    ) -> R | S: ...

class ranged(Generic[R, S]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> ranged[list[W], list[tuple[W, float]]]: ...
    @overload
    def __get__(
        self, sayer: Bound[W, Any, Async], owner: type
    ) -> ranged[Awaitable[list[W]], Awaitable[list[tuple[W, float]]]]: ...
    @overload
    def __call__(
        self,
        start: Value,
        end: Value,
        desc: bool = False,
        withscores: Literal[False] = False,
        byscore: bool = False,
        bylex: bool = False,
        offset: int | None = None,
        num: int | None = None,
    ) -> R: ...
    @overload
    def __call__(
        self,
        start: Value,
        end: Value,
        desc: bool = False,
        *,
        withscores: Literal[True],
        byscore: bool = False,
        bylex: bool = False,
        offset: int | None = None,
        num: int | None = None,
    ) -> S: ...
    @overload
    def __call__(
        self,
        start: Value,
        end: Value,
        desc: bool = False,
        withscores: bool = False,
        byscore: bool = False,
        bylex: bool = False,
        offset: int | None = None,
        num: int | None = None,
    ) -> R | S: ...

class reversed_range(Generic[R, S]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> reversed_range[list[W], list[tuple[W, float]]]: ...
    @overload
    def __get__(
        self, sayer: Bound[W, Any, Async], owner: type
    ) -> reversed_range[Awaitable[list[W]], Awaitable[list[tuple[W, float]]]]: ...
    @overload
    def __call__(self, start: int, end: int, withscores: Literal[False] = False) -> R: ...
    @overload
    def __call__(self, start: int, end: int, withscores: Literal[True]) -> S: ...
    @overload
    def __call__(self, start: int, end: int, withscores: bool) -> R | S: ...

class between(Generic[R, S]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> between[list[W], list[tuple[W, float]]]: ...
    @overload
    def __get__(
        self, sayer: Bound[W, Any, Async], owner: type
    ) -> between[Awaitable[list[W]], Awaitable[list[tuple[W, float]]]]: ...
    @overload
    def __call__(
        self,
        min: Value,
        max: Value,
        start: int | None = None,
        num: int | None = None,
        withscores: Literal[False] = False,
    ) -> R: ...
    @overload
    def __call__(
        self,
        min: Value,
        max: Value,
        start: int | None = None,
        num: int | None = None,
        *,
        withscores: Literal[True],
    ) -> S: ...
    @overload
    def __call__(
        self, min: Value, max: Value, start: int | None = None, num: int | None = None, withscores: bool = False
    ) -> R | S: ...

class reversed_between(Generic[R, S]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> reversed_between[list[W], list[tuple[W, float]]]: ...
    @overload
    def __get__(
        self, sayer: Bound[W, Any, Async], owner: type
    ) -> reversed_between[Awaitable[list[W]], Awaitable[list[tuple[W, float]]]]: ...
    @overload
    def __call__(
        self,
        max: Value,
        min: Value,
        start: int | None = None,
        num: int | None = None,
        withscores: Literal[False] = False,
    ) -> R: ...
    @overload
    def __call__(
        self,
        max: Value,
        min: Value,
        start: int | None = None,
        num: int | None = None,
        *,
        withscores: Literal[True],
    ) -> S: ...
    @overload
    def __call__(
        self, max: Value, min: Value, start: int | None = None, num: int | None = None, withscores: bool = False
    ) -> R | S: ...

class scored(Generic[R, S]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[Any, Any, Sync], owner: type) -> scored[int, float | None]: ...
    @overload
    def __get__(
        self, sayer: Bound[Any, Any, Async], owner: type
    ) -> scored[Awaitable[int], Awaitable[float | None]]: ...
    @overload
    def __call__(
        self,
        /,
        mapping: Mapping[Any, Any] | None = None,
        nx: bool = False,
        xx: bool = False,
        ch: bool = False,
        incr: Literal[False] = False,
        gt: bool = False,
        lt: bool = False,
        **scores: float,
    ) -> R: ...
    @overload
    def __call__(
        self,
        /,
        mapping: Mapping[Any, Any] | None = None,
        nx: bool = False,
        xx: bool = False,
        ch: bool = False,
        *,
        incr: Literal[True],
        gt: bool = False,
        lt: bool = False,
        **scores: float,
    ) -> S: ...
