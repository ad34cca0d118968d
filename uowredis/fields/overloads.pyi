# The decorators of overloads.py, as type checkers see them.

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, Self, TypeVar, overload

from uowredis.commands.arguments import Value
from uowredis.fields.base import Bound
from uowredis.fields.methods import G, V
from uowredis.fields.modes import Async, Sync

W = TypeVar("W")
H = TypeVar("H", contravariant=True)

class popped(Generic[V]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> popped[W]: ...
    @overload
    def __get__(self, sayer: Bound[Any, Any, Async], owner: type) -> Callable[..., Awaitable[Any]]: ...
    @overload
    def __call__(self, count: None = None) -> V | None: ...
    @overload
    def __call__(self, count: int) -> list[V] | None: ...

class drawn(Generic[V]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> drawn[W]: ...
    @overload
    def __get__(self, sayer: Bound[Any, Any, Async], owner: type) -> Callable[..., Awaitable[Any]]: ...
    @overload
    def __call__(self, count: None = None) -> V | None: ...
    @overload
    def __call__(self, count: int) -> list[V]: ...

class shown(Generic[V]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> shown[W]: ...
    @overload
    def __get__(self, sayer: Bound[Any, Any, Async], owner: type) -> Callable[..., Awaitable[Any]]: ...
    @overload
    def __call__(self, number: None = None) -> V | None: ...
    @overload
    def __call__(self, number: int) -> list[V]: ...

class shown_scored(Generic[V]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> shown_scored[W]: ...
    @overload
    def __call__(self, count: None = None, withscores: Literal[False] = False) -> V | None: ...
    @overload
    def __call__(self, count: int, withscores: Literal[False] = False) -> list[V]: ...
    @overload
    def __call__(self, count: int, withscores: Literal[True]) -> list[tuple[V, float]]: ...
    @overload
    def __call__(self, count: int, withscores: bool) -> list[V] | list[tuple[V, float]]: ...

class shown_valued(Generic[V]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> shown_valued[W]: ...
    @overload
    def __call__(self, count: None = None, withvalues: Literal[False] = False) -> str | None: ...
    @overload
    def __call__(self, count: int, withvalues: Literal[False] = False) -> list[str]: ...
    @overload
    def __call__(self, count: int, withvalues: Literal[True]) -> list[tuple[str, V]]: ...
    @overload
    def __call__(self, count: int, withvalues: bool) -> list[str] | list[tuple[str, V]]: ...

class placed(Generic[V, G]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    def __get__(self, sayer: Bound[W, H, Sync], owner: type) -> placed[W, H]: ...
    @overload
    def __call__(
        self, value: Value | G, rank: int | None = None, count: None = None, maxlen: int | None = None
    ) -> int | None: ...
    @overload
    def __call__(
        self, value: Value | G, rank: int | None = None, *, count: int, maxlen: int | None = None
    ) -> list[int]: ...

class stored(Generic[V, G]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, H, Sync], owner: type) -> stored[W, H]: ...
    @overload
    def __get__(self, sayer: Bound[Any, Any, Async], owner: type) -> Callable[..., Awaitable[Any]]: ...
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
    ) -> bool | None: ...
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
    ) -> V | None: ...
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
    ) -> bool | V | None: ...

class ranged(Generic[V]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> ranged[W]: ...
    @overload
    def __get__(self, sayer: Bound[Any, Any, Async], owner: type) -> Callable[..., Awaitable[Any]]: ...
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
    ) -> list[V]: ...
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
    ) -> list[tuple[V, float]]: ...
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
    ) -> list[V] | list[tuple[V, float]]: ...

class reversed_range(Generic[V]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> reversed_range[W]: ...
    @overload
    def __get__(self, sayer: Bound[Any, Any, Async], owner: type) -> Callable[..., Awaitable[Any]]: ...
    @overload
    def __call__(self, start: int, end: int, withscores: Literal[False] = False) -> list[V]: ...
    @overload
    def __call__(self, start: int, end: int, withscores: Literal[True]) -> list[tuple[V, float]]: ...
    @overload
    def __call__(self, start: int, end: int, withscores: bool) -> list[V] | list[tuple[V, float]]: ...

class between(Generic[V]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> between[W]: ...
    @overload
    def __get__(self, sayer: Bound[Any, Any, Async], owner: type) -> Callable[..., Awaitable[Any]]: ...
    @overload
    def __call__(
        self,
        min: Value,
        max: Value,
        start: int | None = None,
        num: int | None = None,
        withscores: Literal[False] = False,
    ) -> list[V]: ...
    @overload
    def __call__(
        self,
        min: Value,
        max: Value,
        start: int | None = None,
        num: int | None = None,
        *,
        withscores: Literal[True],
    ) -> list[tuple[V, float]]: ...
    @overload
    def __call__(
        self, min: Value, max: Value, start: int | None = None, num: int | None = None, withscores: bool = False
    ) -> list[V] | list[tuple[V, float]]: ...

class reversed_between(Generic[V]):  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    @overload
    def __get__(self, sayer: Bound[W, Any, Sync], owner: type) -> reversed_between[W]: ...
    @overload
    def __get__(self, sayer: Bound[Any, Any, Async], owner: type) -> Callable[..., Awaitable[Any]]: ...
    @overload
    def __call__(
        self,
        max: Value,
        min: Value,
        start: int | None = None,
        num: int | None = None,
        withscores: Literal[False] = False,
    ) -> list[V]: ...
    @overload
    def __call__(
        self,
        max: Value,
        min: Value,
        start: int | None = None,
        num: int | None = None,
        *,
        withscores: Literal[True],
    ) -> list[tuple[V, float]]: ...
    @overload
    def __call__(
        self, max: Value, min: Value, start: int | None = None, num: int | None = None, withscores: bool = False
    ) -> list[V] | list[tuple[V, float]]: ...

class scored:  # noqa: N801  # used as a decorator
    def __init__(self, command: object) -> None: ...
    def __get__(self, sayer: object, owner: type) -> Self: ...
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
    ) -> int: ...
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
    ) -> float | None: ...
