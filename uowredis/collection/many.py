"""What is said of all that a collection finds (say)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from typing import Any, Generic

from uowredis.collection.refined import R, Refined, T
from uowredis.commands.arguments import shown
from uowredis.commands.identity import Identity, State
from uowredis.exceptions import ArgumentError, ArgumentTypeError
from uowredis.fields import Field
from uowredis.fields.misuse import NotItsValue
from uowredis.schema.models import Kind, ModelSchema
from uowredis.session.batches import BATCH, AfterBatch, Batches


class ChangesMany(Refined[T, R], Generic[T, R]):
    """A collection whose objects are deleted or changed together, in batches."""

    def delete(self, *, batch: int = BATCH, progress: AfterBatch | None = None) -> int:
        """Delete all objects that are found now, as ``instance.delete()`` does; return how many.

        They are looked for once. Each *batch* of them is one commit, all or nothing; who has vanished meanwhile, also
        with what an earlier batch deleted, is left out and not counted. Where a commit is refused, the batches before
        it stay deleted, as a note of the error says, and of the others nothing is: called again, it goes on. In an open
        session nothing is sent, and all of it is part of its commit; one that watches what it reads commits only where
        the same objects are found still.

        Args:
            batch: objects in a batch.
            progress: is called after each batch with how many objects are done, and of how many.

        Raises:
            ArgumentError: for a batch below 1.
            CommitError: where a commit is not applied, or nobody knows.
        """
        return self._of_all(Batches("delete", batch, progress), lambda instance: instance.delete())

    def update(
        self,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        batch: int = BATCH,
        progress: AfterBatch | None = None,
        **fields: Any,
    ) -> int:
        """Give all objects that are found now these values (SET, HSET; DEL and SADD ...); return how many they are.

        Same as :meth:`delete` in batches, progress, and what is true after an error; called again it says the same to
        all that are found then.

        Args:
            values: fields and their values, also those that are called as an argument here.
            batch: objects in a batch.
            progress: is called after each batch with how many objects are done, and of how many.
            fields: the same by name. What is given is all that a field holds then; None, or no values at all, empty it.

        Raises:
            ArgumentError: for no field, one that is not there or given twice, the primary key, or a batch below 1.
            ArgumentTypeError: for a value that Redis has no spelling for; nothing is written.
            UniquenessError: for a unique value that is taken, as by the second object found.
            CommitError: where a commit is not applied, or nobody knows.
        """
        said = checked_values(self._model, self._schema, values, fields)
        return self._of_all(Batches("update", batch, progress), lambda instance: change(instance, said))

    def _of_all(self, batches: Batches, say: Callable[[Any], object]) -> int:
        """Say by *say* something of each object that is found; return of how many."""

        def of_part(part: Sequence[Any]) -> None:
            for instance in part:
                say(instance)

        model, found = self._model, list(self.copy().instances())
        return batches.say(self._database, found, of_part, lambda part: model.get_many(part, missing="skip"))


def checked_values(model: Any, schema: ModelSchema, given: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``update()`` was told, spelled once, so that nothing is asked or written where it cannot be.

    Raises:
        ArgumentError: for no field, one that is not there or given twice, or the primary key.
        ArgumentTypeError: for what is no mapping, or a value that Redis has no spelling for.
    """
    if given is not None and not (isinstance(given, Mapping) and all(isinstance(name, str) for name in given)):
        raise ArgumentTypeError(f"update() takes a mapping of fields to values, not {shown(given)}")
    said = {**(given or {}), **values}
    if not said or len(said) < len(given or ()) + len(values):
        raise ArgumentError("update() takes at least one field, and each once")
    for name, value in said.items():
        # It is said more than once.
        said[name] = list(value) if isinstance(value, Iterator) else value
        field = model._fields.get(name)
        if field is None or name == schema.pk_field:
            known = ", ".join(schema.fields)
            raise ArgumentError(f"{schema.name} has no field {name!r} that could be changed. Way out: one of {known}")
        if not _is_nothing(field, said[name]):
            field.first_write(Identity(schema, "0", State.STORED), schema.fields[name], said[name])
    return said


def change(instance: Any, values: Mapping[str, Any]) -> None:
    """Say that each field of *instance* holds its value from now on, and nothing else."""
    identity = instance.identity
    for name, value in values.items():
        bound, field = getattr(instance, name), type(instance)._fields[name]
        if _is_nothing(field, value):
            bound.delete()
        elif field.kind is Kind.STRING:
            bound.set(value)
        elif field.kind is Kind.ENTRY:
            bound.hset(value)
        else:
            bound.delete()
            instance._say(field.first_write(identity, identity.model.fields[name], value))


def is_empty(value: object) -> bool:
    """Return whether what is given for a field of many values is none."""
    return isinstance(value, Sized) and not isinstance(value, NotItsValue) and not len(value)


def _is_nothing(field: Field[Any], value: object) -> bool:
    return value is None or (field.many and is_empty(value))
