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
from uowredis.schema.keys import place_of
from uowredis.schema.models import FieldSchema, ModelSchema
from uowredis.session.layouts import Layouts
from uowredis.session.telling import tell_changed


class Fingerprints:
    """What one process knows of the fingerprints on one server.

    Args:
        changed: what a declaration that says more than its fingerprint does: "raise", "warn" or "ignore".

    Attributes:
        known: the models whose fingerprint was read.
        settled: those that have one, or have objects without one, which stay as they are.
        owed: what the fingerprint of a model must say before this declaration writes, which says less.
        layouts: what is known of in how many shards models are.
    """

    def __init__(self, changed: str) -> None:
        self.known: set[ModelSchema] = set()
        self.settled: set[ModelSchema] = set()
        self.owed: dict[ModelSchema, Fingerprint] = {}
        self._changed = changed
        self._told: set[ModelSchema] = set()
        self._wanted: dict[ModelSchema, None] = {}
        self._unready: dict[ModelSchema, tuple[tuple[FieldSchema, frozenset[str]], ...]] = {}
        self.layouts = Layouts()

    def want(self, model: ModelSchema) -> None:
        """Read the fingerprint of *model* with the next answer, and of those that may refer to it.

        Of a sharded model as a whole there is none; its layout is read before that of a facet is.
        """
        if model in self.known or (model in self._wanted and not model.referrers):
            # Asked for each call of a session that has sent nothing yet.
            return
        self.layouts.want(model.declared)
        if model.facets is not None:
            return
        wanted = [model]
        for each in wanted:
            wanted += [other for other, _ in each.referrers if other not in wanted]
        self._wanted |= dict.fromkeys(each for each in wanted if each not in self.known)

    def relate(self) -> None:
        """Read anew the fingerprints of models to which others refer: others may do since."""
        self.known.difference_update([model for model in list(self.known) if model.referrers])

    def is_free(self, model: ModelSchema) -> bool:
        """Return whether a command on *model* may go as it is: nothing is to be read before, or written with it."""
        return model in self.known and model not in self.owed and self.layouts.is_known(model.declared)

    @property
    def are_looked_for(self) -> bool:
        """Whether a fingerprint may be to be read."""
        return bool(self._wanted or self._unready or self.layouts.wanted)

    def to_read(self, calls: Iterable[Call]) -> list[ModelSchema]:
        """Return the models whose fingerprint is to be read with *calls*."""
        said = tuple(calls)
        places = {place_of(key) for key in map(key_of, said) if key is not None} if self._wanted else set()
        # Another thread may want more meanwhile.
        wanted = [model for model in list(self._wanted) if model.keys.place is None or model.keys.place in places]
        return list(dict.fromkeys([*wanted, *(model for model, _ in self._standing_on(said))]))

    def _standing_on(self, calls: Iterable[Call]) -> Iterable[tuple[ModelSchema, FieldSchema]]:
        """Yield whose indexes that are not ready *calls* read."""
        indexes: dict[str | None, list[tuple[ModelSchema, FieldSchema, frozenset[str]]]] = {}
        for model, fields in list(self._unready.items()):
            indexes.setdefault(model.keys.place, []).extend((model, field, words) for field, words in fields)
        for call in calls if indexes else ():
            place = place_of(key_of(call) or "")
            for model, field, words in indexes.get(place, ()) if place in indexes else indexes.get(None, ()):
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
