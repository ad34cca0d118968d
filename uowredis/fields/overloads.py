"""Commands whose reply depends on an argument (declare): what a type checker sees of them stands in ``overloads.pyi``.

``@reads`` and ``@writes`` know one reply. Each of these stands above one of them and says the others; at run time they
do nothing.
"""

from __future__ import annotations

from typing import Any


def _as_it_is(command: Any) -> Any:
    return command


placed = popped = drawn = shown = shown_scored = shown_valued = stored = ranged = reversed_range = between = (
    reversed_between
) = scored = _as_it_is
