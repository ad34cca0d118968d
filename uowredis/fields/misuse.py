"""What would take a bound field for its value is answered with the way out (say)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from uowredis.exceptions import ArgumentTypeError
from uowredis.fields.elsewhere import ELSEWHERE


class NotItsValue:
    """A bound field says nothing of its value: truth, comparison, arithmetic, iteration, conversion and calls raise."""

    __slots__ = ()

    #: The call that gives the value.
    _value_by: ClassVar[str] = "get()"

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise ArgumentTypeError(f"{self!r} is a field, not its value. Way out: .{self._value_by}")

    if not TYPE_CHECKING:  # a type checker refuses by itself what is not there

        def __eq__(self, other: object) -> bool:
            # Only fields are compared; nothing else could be equal, whatever the field holds or refers to.
            return NotImplemented if isinstance(other, NotItsValue) else self._refuse()

        __hash__ = object.__hash__

        __call__ = _refuse
        # No __iter__: a field given as one value of several is not many. Iteration comes by __getitem__, too.
        __bool__ = __len__ = __contains__ = __getitem__ = _refuse
        __int__ = __float__ = __index__ = __round__ = __neg__ = __abs__ = _refuse
        __lt__ = __le__ = __gt__ = __ge__ = _refuse
        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
        __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __or__ = __and__ = _refuse

        def __getattr__(self, name: str) -> Any:
            # What copying and unpickling look for is asked for before the field has its owner.
            if name.startswith("_"):
                raise AttributeError(name)
            if name in ELSEWHERE:
                why, way = ELSEWHERE[name]
                raise AttributeError(f"{self!r} has no {name}(): {why}. Way out: {way}")
            raise AttributeError(f"{self!r} has no {name!r}: it is a field. Way out: .{self._value_by}")
