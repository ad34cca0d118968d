"""``PKField`` and ``AutoPKField``: primary keys (declare, say)."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from uowredis.exceptions import ImplementationError
from uowredis.fields.base import Bound, Field
from uowredis.fields.methods import M
from uowredis.fields.modes import Async, Sync
from uowredis.schema.models import Kind

S = TypeVar("S")
A = TypeVar("A")


class BoundPK(Bound[M]):
    """The primary key of one instance; it cannot be changed."""

    __slots__ = ()

    @property
    def key(self) -> NoReturn:
        """Refuse: a primary key is part of other keys and has none of its own.

        Raises:
            ImplementationError: always.
        """
        raise ImplementationError(f"{self.field} is the primary key and has no key of its own. Way out: another field")

    def get(self) -> str:
        """Return the primary key; an empty instance of an AutoPKField gets one and is created.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
        """
        instance: Any = self.owner
        pk: str = instance._pk_now()
        return pk

    def _current(self) -> str:
        return self.get()

    def set(self, value: object) -> NoReturn:
        """Refuse: a primary key is part of every key of its object.

        Raises:
            ImplementationError: always.
        """
        raise ImplementationError(
            f"{self.field} is the primary key and cannot be changed. Way out: create a new object"
        )

    def delete(self) -> NoReturn:
        """Refuse: an object cannot be without primary key.

        Raises:
            ImplementationError: always.
        """
        raise ImplementationError(f"{self.field} is the primary key and cannot be deleted. Way out: instance.delete()")


class PKField(Field[BoundPK[Sync], BoundPK[Async]]):
    """A primary key that is chosen: any text; it must be given to the constructor.

    Raises:
        ImplementationError: for any option; a primary key is unique by nature.
    """

    kind = Kind.PK
    bound = BoundPK
    auto = False

    def __init__(self, **options: Any) -> None:
        if options:
            raise ImplementationError(f"{type(self).__name__} takes no options, not {', '.join(sorted(options))}")
        super().__init__()


class AutoPKField(PKField):
    """A primary key that Redis counts, from 1; it cannot be given."""

    auto = True
