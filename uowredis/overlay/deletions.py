"""What will no longer be there right after the commit, and which references go with it (decide, pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import attrs

from uowredis.commands.commands import Read
from uowredis.commands.journal import Journal, Life
from uowredis.commands.where import Filter, Leaf
from uowredis.schema.joint import JointIndex
from uowredis.schema.lookup import Among
from uowredis.schema.models import FieldSchema, ModelSchema, OnDelete


@attrs.frozen(eq=False)
class Dead:
    """The pks of one model's objects that are gone; ``in`` costs the same however many they are."""

    _gone: Gone
    _model: ModelSchema

    def __contains__(self, pk: object) -> bool:
        return isinstance(pk, str) and self._gone.holds(self._model, pk)

    def __iter__(self) -> Iterator[str]:
        deleted = (life.reference for life in self._gone.journal.deleted.get(self._model, ()) if not life.alive)
        yield from deleted
        yield from self._gone.cascaded_pks(self._model)


@attrs.frozen(eq=False)
class Gone:
    """Objects that are deleted, or with them.

    Attributes:
        journal: what was said.
        cascaded: what is deleted with what was said to be.
    """

    journal: Journal
    cascaded: Collection[Life] = ()
    _cascaded_pks: dict[ModelSchema, set[str]] = attrs.field(init=False)

    @_cascaded_pks.default
    def _by_model(self) -> dict[ModelSchema, set[str]]:
        pks: dict[ModelSchema, set[str]] = {}
        for life in self.cascaded:
            pks.setdefault(life.model, set()).add(life.reference)
        return pks

    def cascaded_pks(self, model: ModelSchema) -> Collection[str]:
        """Return the pks of what is deleted with others."""
        return self._cascaded_pks.get(model, ())

    def holds(self, model: ModelSchema, pk: str | None, life: Life | None = None) -> bool:
        """Return whether an object is among them."""
        if life is None and pk is not None:
            life = self.journal.with_pk(model, pk) or self.journal.unallocated(model, pk)
        if life is not None and (not life.alive or life in self.cascaded):
            return True
        return pk in self.cascaded_pks(model)

    def clears(self, field: FieldSchema, pk: str | None) -> bool:
        """Return whether *field* loses *pk*."""
        relation = field.relation
        return pk is not None and relation is not None and relation.to is not None and self.holds(relation.to, pk)

    def as_cleared(self, model: ModelSchema, leaf: Leaf) -> Leaf:
        """Return what finds by the references that there are now whom *leaf* will find: those to them are cleared."""
        if not isinstance(leaf, Filter) or not isinstance(leaf.lookup, Among) or not leaf.field.relates:
            return leaf
        field, keys, asked = leaf.field, model.keys, leaf.lookup.keys
        if (relation := field.relation) is None:
            return attrs.evolve(leaf, lookup=attrs.evolve(leaf.lookup, keys=self._left(model, field, asked)))
        kept = tuple(key for key in asked if not self.clears(field, keys.indexed_value(field.stored, key)))
        if keys.none(field.stored) in asked and relation.to is not None:
            kept += tuple(keys.index(field.stored, pk) for pk in Dead(self, relation.to))
        return attrs.evolve(leaf, lookup=Among(kept))

    def _left(self, model: ModelSchema, field: FieldSchema, asked: Sequence[str]) -> tuple[str, ...]:
        """Return those of the index keys *asked* of *field* from which no reference beside it is cleared."""
        kept = []
        for key in asked:
            index = field.index_of(model.keys, key)
            values = index.values_in(model.keys, key) if isinstance(index, JointIndex) else {}
            if not any(self.clears(model.fields[name], value) for name, value in values.items()):
                kept.append(key)
        return tuple(kept)

    def cleared(self, read: Read[object]) -> dict[str, Dead]:
        """Return the references that the key of *read* loses, by what the field is stored as."""
        if not self.journal.deleted:
            return {}
        found = {}
        for field in read.identity.model.related:
            to = None if field.relation is None else field.relation.to
            if (
                to is not None
                and field.storage == read.storage
                and (to in self.journal.deleted or self.cascaded_pks(to))
            ):
                found[field.stored] = Dead(self, to)
        return found


def reach(journal: Journal) -> dict[ModelSchema, bool]:
    """Return the models whose objects may change with what is deleted, and whether they may be deleted with it."""
    reached: dict[ModelSchema, bool] = {}
    _reach(journal.deleted, reached)
    return reached


def _reach(models: Collection[ModelSchema], reached: dict[ModelSchema, bool]) -> None:
    for model, deletes in _referring(models):
        if deletes and not reached.get(model):
            reached[model] = True
            _reach((model,), reached)
        else:
            reached.setdefault(model, False)


def _referring(models: Collection[ModelSchema]) -> Iterator[tuple[ModelSchema, bool]]:
    for to in models:
        for model, field in to.referrers:
            yield model, field.relation is not None and field.relation.on_delete is OnDelete.CASCADE
