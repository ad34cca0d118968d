"""What the fields of an index of several fields held before and will hold, of one object (decide).

A change of one of them is a change of the index, which needs the values of all. Those that the pending commands speak
of are told by their :class:`KeyPart`; the others are read, under watch.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any

import attrs

from uowredis.commands.journal import Life
from uowredis.exceptions import ArgumentError
from uowredis.planner.content import Content, Pairs
from uowredis.planner.key import Delta
from uowredis.schema.index import IndexEntry
from uowredis.schema.joint import ScoredEqualIndex
from uowredis.schema.models import FieldSchema


@attrs.define(eq=False)
class Joint:
    """The indexes of several fields that *owner* has.

    Attributes:
        contents: what is read: the fields that nothing is said about.
        before: what each field held.
        after: what each will hold.
    """

    life: Life
    owner: FieldSchema
    contents: dict[str, Content] = attrs.field(factory=dict)
    before: dict[str, Pairs] = attrs.field(factory=dict)
    after: dict[str, Pairs] = attrs.field(factory=dict)
    _will: set[IndexEntry] = attrs.field(factory=set)

    @property
    def fields(self) -> tuple[FieldSchema, ...]:
        """The fields: the owner, and those beside it."""
        return (self.owner, *(field for field in self.owner.beside if field.name != self.owner.name))

    def ask(self, told: Container[str]) -> Iterator[Content]:
        """Yield what must be read, where what is said tells the values of the fields *told*."""
        for field in self.fields:
            if field.name not in told and not self.life.from_nothing:
                assert self.life.identity.pk is not None
                self.contents[field.name] = content = Content(self.life.model, field, self.life.identity.pk, alone=True)
                yield content

    def learn(self, field: FieldSchema, was: Pairs, will: Pairs) -> None:
        """Take what *field*, of which something is said, held and will hold."""
        self.before[field.name], self.after[field.name] = was, will

    def delta(self, reply: Callable[[tuple[str, ...]], Any]) -> tuple[set[IndexEntry], set[IndexEntry]]:
        """Return the entries before and after, where *reply* answers what was read; all that will be there enters.

        Raises:
            ArgumentError: for a value that an index cannot hold.
        """
        for name, content in self.contents.items():
            self.before.setdefault(name, content.pairs(reply(content.call)))
            self.after.setdefault(name, self.before[name])
        was, self._will = self._entries(self.before), self._entries(self.after)
        self._check()
        return was - self._will, self._will

    def _entries(self, held: dict[str, Pairs]) -> set[IndexEntry]:
        return self.owner.joint_entries(self.life.model.keys, held, self.life.reference)

    def _check(self) -> None:
        for index in self.owner.joint:
            if isinstance(index, ScoredEqualIndex):
                try:
                    index.check_joint({name: held for name, held in self.after.items() if name not in self.contents})
                except ValueError as error:
                    raise ArgumentError(f"{self.life}.{error}; nothing was written. Way out: a number") from error

    def without(self, field: FieldSchema, pks: Container[str], known: Delta | None) -> Delta:
        """Return what becomes of the owner where *field* loses the references to *pks*, too.

        Args:
            field: one of its fields.
            pks: of objects that are deleted.
            known: what else becomes of the owner.
        """
        left = self._will
        self.after[field.name] = [pair for pair in self.after[field.name] if pair[1] not in pks]
        self._will = self._entries(self.after)
        if known is None:
            return Delta(self.life, self.owner, left - self._will, ())
        after = {*known.after} - left | self._will
        return Delta(self.life, self.owner, {*known.before, *left} - after, after)
