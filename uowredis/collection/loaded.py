"""``Loaded``: what was read of an object together with others (say, pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


class Loaded(Mapping[str, Any]):
    """What ``instances(load=...)`` read of one object, by the names that were given, as it was at that moment.

    Nothing changes it, neither a write of the session nor the commit: it is a row of ``values()`` beside the object.
    """

    __slots__ = ("_values",)

    def __init__(self, names: Sequence[str] = (), values: Sequence[Any] = ()) -> None:
        self._values = dict(zip(names, values, strict=True))

    def __getitem__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        raise KeyError(
            f"{name!r} was not loaded, but {', '.join(self._values) or 'nothing'}. Way out: "
            f"collection(...).instances(load=({name!r},)), or a command of the field"
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)
