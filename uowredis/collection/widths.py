"""Which of the values that are wanted SORT gets, and which are read after it (decide, pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from uowredis.commands.paths import Path, leaves, path_of, with_leaves
from uowredis.commands.values import read_columns
from uowredis.schema.models import ModelSchema

#: Name under which ``values()`` gives the score that the collection is sorted by.
SORTED_SCORE = "sorted_score"


@attrs.frozen
class Widths:
    """What is read of each object found where SORT does not get all of it.

    Attributes:
        near: names of the single values of the objects themselves, the primary key first: what is wanted of them, and
            the foreign keys that lead further.
        far: what else is wanted, by the names that were given.
    """

    near: tuple[str, ...]
    far: tuple[str, ...]
    paths: tuple[Path, ...]

    @classmethod
    def of(cls, model: ModelSchema, names: Sequence[str]) -> Widths:
        """Return those of the values *names* of *model*."""
        given = {name: path_of(model, name) for name in names if name != SORTED_SCORE}
        near = dict.fromkeys(("pk", *(name for name, path in given.items() if path.near)))
        near |= dict.fromkeys(path.names[0] for path in given.values() if _leads(path))
        far = [name for name, path in given.items() if not path.near]
        return cls(tuple(near), tuple(far), tuple([path_of(model, name) for name in (*near, *far)]))

    @property
    def leads(self) -> frozenset[str]:
        """The foreign keys of the objects themselves that lead further."""
        return frozenset(path.names[0] for path in self.paths if _leads(path))

    def typed(self, model: ModelSchema, names: Sequence[str], table: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        """Return columns of what is stored, near values before far ones and a score, as values in the order of *names*.

        Raises:
            UnreadableValue: for text that is no value of its field.
        """
        count = len(self.near)
        found = dict(zip(self.near, read_columns(model, self.near, table[:count]), strict=True))
        found[SORTED_SCORE] = table[-1]
        for name, path, column in zip(self.far, self.paths[count:], table[count:], strict=False):
            if path.single:
                (read,) = read_columns(path.model, path.names[-1:], [leaves(column, path.lists)])
                column = with_leaves(column, path.lists, read) if path.lists else read
            found[name] = column
        return [found[name] for name in names]


def _leads(path: Path) -> bool:
    """Return whether *path* goes on from a foreign key of the object itself."""
    _, first = path.stops[0]
    return len(path.stops) > 1 and first is not None and first.single
