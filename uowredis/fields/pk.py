"""``PKField`` and ``AutoPKField``: primary keys (declare, say)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Never, NoReturn, overload

from uowredis.commands.values import read_value
from uowredis.exceptions import ImplementationError
from uowredis.fields.base import Field
from uowredis.fields.bound import Bound
from uowredis.fields.methods import M, V
from uowredis.fields.modes import Async, Sync
from uowredis.schema.models import Kind
from uowredis.values import Codec


class BoundPK(Bound[V, V, M]):
    """The primary key of one instance; it cannot be changed."""

    __slots__ = ()

    @property
    def key(self) -> NoReturn:
        """Refuse: a primary key is part of other keys and has none of its own.

        Raises:
            ImplementationError: always.
        """
        raise ImplementationError(f"{self._field} is the primary key and has no key of its own. Way out: another field")

    @overload
    def get(self: BoundPK[V, Sync]) -> V: ...
    @overload
    def get(self: BoundPK[V, Async]) -> Awaitable[V]: ...
    def get(self) -> Any:
        """Return the primary key; an empty instance of an AutoPKField gets one and is created.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
        """
        instance: Any = self._owner
        return instance._pk_as(self._value)

    def _value(self, pk: str) -> Any:
        holds = self._field.holds
        return pk if holds is None else read_value(holds, pk, self._field.name, self._owner.identity)

    def _current(self) -> Any:
        instance: Any = self._owner
        return instance._pk_as(self._value)

    def set(self, value: object) -> NoReturn:
        """Refuse: a primary key is part of every key of its object.

        Raises:
            ImplementationError: always.
        """
        raise ImplementationError(
            f"{self._field} is the primary key and cannot be changed. Way out: create a new object"
        )

    def delete(self) -> NoReturn:
        """Refuse: an object cannot be without primary key.

        Raises:
            ImplementationError: always.
        """
        raise ImplementationError(f"{self._field} is the primary key and cannot be deleted. Way out: instance.delete()")


class PKField(Field[V]):
    """A primary key that is chosen: any text, or a value of its type; it must be given to the constructor.

    Args:
        type: what it is, e.g. ``UUID`` or ``int``; by default text.

    Raises:
        ImplementationError: for any other option; a primary key is unique by nature.
    """

    kind = Kind.PK
    tells_apart = True
    bound: type[BoundPK[V]] = BoundPK
    bound_later: type[BoundPK[V, Async]]
    auto = False

    if TYPE_CHECKING:

        @property
        def _in_rows(self) -> V: ...

    def __init__(
        self,
        *,
        type: type[V] | Codec[V] | None = None,  # the word for it
        **options: Never,
    ) -> None:
        if options:
            raise ImplementationError(
                f"{self.__class__.__name__} takes no options, not {', '.join(sorted(options))}. Way out: leave them "
                f"out; a PKField takes type"
            )
        super().__init__(type=type)


class AutoPKField(PKField[str]):
    """A primary key that Redis counts, from 1; it cannot be given.

    Raises:
        ImplementationError: for any option.
    """

    auto = True

    def __init__(self, **options: Never) -> None:
        if options:
            raise ImplementationError(f"{type(self).__name__} takes no options, not {', '.join(sorted(options))}")
        super().__init__()
