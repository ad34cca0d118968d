"""``Fingerprints``: what is known of the declarations that the data was written with (say, pure).

The fingerprint of a model is read once, in a round trip that is made anyway: with the first answer that the model waits
for. What stands on an index that is not ready is read with it each time, since a rebuild may be done by now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from uowredis.commands.calls import Call
from uowredis.exceptions import DeclarationChanged, IndexNotReady
from uowredis.executor.slots import key_of
from uowredis.schema.fingerprint import NOTHING, Fingerprint, compared, told
from uowredis.schema.models import FieldSchema, ModelSchema
from uowredis.session.telling import tell_changed


class Fingerprints:
    """What one process knows of the fingerprints on one server.

    Args:
        changed: what a declaration that says more than its fingerprint does: "raise", "warn" or "ignore".

    Attributes:
        known: the models whose fingerprint was read.
        settled: those that have one, or have objects without one, which stay as they are.
        owed: what the fingerprint of a model must say before this declaration writes, which says less.
    """

    def __init__(self, changed: str) -> None:
        self.known: set[ModelSchema] = set()
        self.settled: set[ModelSchema] = set()
        self.owed: dict[ModelSchema, Fingerprint] = {}
        self._changed = changed
        self._told: set[ModelSchema] = set()
        self._wanted: dict[ModelSchema, None] = {}
        self._unready: dict[ModelSchema, tuple[tuple[FieldSchema, frozenset[str]], ...]] = {}

    def want(self, model: ModelSchema) -> None:
        """Read the fingerprint of *model* with the next answer, and of those that may refer to it."""
        if model in self._wanted and not model.referrers:
            # Asked for each call of a session that has sent nothing yet.
            return
        wanted = [model]
        for each in wanted:
            wanted += [other for other, _ in each.referrers if other not in wanted]
        self._wanted |= dict.fromkeys(each for each in wanted if each not in self.known)

    def is_free(self, model: ModelSchema) -> bool:
        """Return whether a command on *model* may go as it is: nothing is to be read before, or written with it."""
        return model in self.known and model not in self.owed

    @property
    def are_looked_for(self) -> bool:
        """Whether a fingerprint may be to be read."""
        return bool(self._wanted or self._unready)

    def to_read(self, calls: Iterable[Call]) -> list[ModelSchema]:
        """Return the models whose fingerprint is to be read with *calls*."""
        said = tuple(calls)
        wanted = [model for model in self._wanted if model.keys.place is None or _is_beside(model, said)]
        return list(dict.fromkeys([*wanted, *(model for model, _ in self._standing_on(said))]))

    def _standing_on(self, calls: Iterable[Call]) -> Iterable[tuple[ModelSchema, FieldSchema]]:
        """Yield whose indexes that are not ready *calls* read."""
        indexes = [(model, field, words) for model, fields in list(self._unready.items()) for field, words in fields]
        for call in calls if indexes else ():
            for model, field, words in indexes:
                if any(field.word_of(model.keys, part) in words for part in call[1:]):
                    yield model, field

    def learn(self, found: Mapping[ModelSchema, Sequence[str]], calls: Sequence[Call]) -> None:
        """Take note of the fingerprints *found*, each as HGETALL tells it, with the replies to *calls*.

        Raises:
            DeclarationChanged: where a model of *calls* is declared with more, and that is to be raised.
            IndexNotReady: where they read an index that has not all it should.
        """
        for model, flat in found.items():
            self._learn(model, told(flat), calls)
        for model, field in self._standing_on(calls):
            raise IndexNotReady(
                f"The index of {model.name}.{field.name} has not all it should yet, so the answer may lack some. Way "
                f"out: uowredis rebuild {model.path}.{field.name}, to its end"
            )

    def _learn(self, model: ModelSchema, found: Fingerprint, calls: Sequence[Call]) -> None:
        unready, more, marks = compared(model, found) if found else NOTHING
        tells = bool(more) and self._changed != "ignore"
        if tells and self._changed == "raise":
            if any(model.keys.owns(part) for call in calls for part in call[1:]):
                raise DeclarationChanged(_said(model, more))
            return
        if found:
            self.settled.add(model)
        if marks:
            self.owed[model] = marks
        if tells and unready:
            self._unready[model] = unready
        else:
            self._unready.pop(model, None)
        self.known.add(model)
        self._wanted.pop(model, None)
        if tells and model not in self._told:
            self._told.add(model)
            tell_changed(_said(model, more))

    def written(self, models: Iterable[ModelSchema]) -> None:
        """Take note that a commit wrote what the fingerprints of *models* must say, or found that nothing must be."""
        for model in models:
            self.settled.add(model)
            self.owed.pop(model, None)


def _said(model: ModelSchema, more: Sequence[str]) -> str:
    return (
        f"{model.name} is declared with more than its data was written with: {', '.join(more)}. What was written "
        f"before is not in a new index, and a query on it raises until it is. Way out: uowredis rebuild {model.path}"
    )


def _is_beside(model: ModelSchema, calls: Iterable[Call]) -> bool:
    """Return whether *calls* are about keys in the place of *model*."""
    return any(key is not None and model.keys.is_beside(key) for key in map(key_of, calls))
