"""``@reads`` and ``@writes``: a method builds a command, the descriptor hands it over (say).

The method's body is pure. What comes back is typed by the face of its owner: the reply itself on the blocking face,
something to await on the asyncio one.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from uowredis.commands.between import Combined, Move
from uowredis.commands.commands import Read, Write
from uowredis.exceptions import ArgumentError
from uowredis.fields.modes import Async, Sync

P = ParamSpec("P")
T = TypeVar("T")

if TYPE_CHECKING:
    from typing_extensions import TypeVar as _TypeVar

    #: Which face commands are said on.
    M = _TypeVar("M", Sync, Async, default=Sync)
    #: What a field holds: text, where no type is declared.
    V = _TypeVar("V", default=str)
    #: What it takes beside text, bytes and numbers.
    G = _TypeVar("G", default=V, contravariant=True)
else:
    M = TypeVar("M", Sync, Async)
    V = TypeVar("V")
    G = TypeVar("G")


class Sayer(Generic[M]):
    """Whatever commands are said on: a bound field, or an instance for the commands of its hash."""

    __slots__ = ()

    @property
    def _described(self) -> str:
        """What commands are said on, in words."""
        return repr(self)

    def _say(self, command: Read[Any] | Write[Any] | Move[Any] | Combined[Any]) -> Any:
        """Hand *command* over; return its answer."""
        raise NotImplementedError


class _Says(Generic[P, T]):
    def __init__(self, build: Callable[..., Any]) -> None:
        def say(sayer: Sayer[Any], /, *args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                command = build(sayer, *args, **kwargs)
            except ArgumentError as error:
                error.add_note(f"Said on {sayer._described}: {build.__name__}()")
                raise
            return sayer._say(command)

        functools.update_wrapper(say, build)
        functools.update_wrapper(self, build)  # type: ignore[arg-type]  # documented like the method it stands for
        self.say = say

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, sayer: None, owner: type) -> _Says[P, T]: ...
    @overload
    def __get__(self, sayer: Sayer[Sync], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, sayer: Sayer[Async], owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, sayer: Sayer[Any] | None, owner: type) -> Any:
        return self if sayer is None else types.MethodType(self.say, sayer)


class reads(_Says[P, T]):  # noqa: N801  # used as a decorator
    """Make a method that builds a ``Read``, or a ``Combined`` one, a method that answers it."""

    def __init__(self, build: Callable[Concatenate[Any, P], Read[T] | Combined[T]]) -> None:
        super().__init__(build)


class writes(_Says[P, T]):  # noqa: N801  # used as a decorator
    """Make a method that builds a ``Write``, or a ``Move``, one that says it: sent at once, or by the commit."""

    def __init__(self, build: Callable[Concatenate[Any, P], Write[T] | Move[T]]) -> None:
        super().__init__(build)
