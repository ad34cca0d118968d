"""What commands of two fields take for the other one (say)."""

from __future__ import annotations

from typing import Any

from uowredis.exceptions import ArgumentTypeError
from uowredis.fields.bound import Bound


def checked(one: Bound[Any, Any, Any], other: object, method: str) -> Any:
    """Return *other*, a field of an object that holds the same as *one*.

    Raises:
        ArgumentTypeError: for anything else.
    """
    field = one._field
    if not isinstance(other, Bound) or other._field.kind is not field.kind:
        raise ArgumentTypeError(
            f"{method} of {field} takes a field of an object that is a {field.kind.value}, too, not {other!r}. Way "
            f"out: other.{field.name}, where other is the object"
        )
    if type(one._owner).database is not type(other._owner).database:
        raise ArgumentTypeError(
            f"{method} of {field} takes a field on the same database, and {other!r} is on another. Way out: read it "
            f"here, and write it there"
        )
    mine, theirs = one._schema(one._owner.identity), other._schema(other._owner.identity)
    to = [
        None if each.relation is None or each.relation.to is None else each.relation.to.declared
        for each in (mine, theirs)
    ]
    if field.holds != other._field.holds or to[0] is not to[1]:
        raise ArgumentTypeError(
            f"{method} of {field} takes a field that holds the same, and {other!r} holds something else. Way out: read "
            f"the values here, and write them there"
        )
    return other
