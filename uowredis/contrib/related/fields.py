"""Fields whose values are primary keys of other objects (declare, say): foreign keys and many-to-many fields."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar, cast, overload

import attrs

from uowredis.collection.conditions import check_target
from uowredis.collection.manager import CollectionManager
from uowredis.commands.arguments import Placeholder
from uowredis.commands.commands import Borrowed
from uowredis.commands.identity import Identity, State, check_current
from uowredis.commands.replies import as_text
from uowredis.commands.values import spelled
from uowredis.exceptions import ArgumentError, ImplementationError, absent
from uowredis.fields import (
    Bound,
    Field,
    InstanceHashField,
    ListField,
    PKField,
    SetField,
    SortedSetField,
    StringField,
)
from uowredis.fields.instance_hash import BoundInstanceHash
from uowredis.fields.list import BoundList
from uowredis.fields.methods import M
from uowredis.fields.modes import Async
from uowredis.fields.pk import BoundPK
from uowredis.fields.set import BoundSet
from uowredis.fields.sorted_set import BoundSortedSet
from uowredis.fields.string import BoundString
from uowredis.model.any_model import AnyModel
from uowredis.model.declaration import MetaRedisModel, schema_of
from uowredis.overlay.overlay import Overlay, gone
from uowredis.plan.requests import Deciding
from uowredis.schema.index import EqualIndex
from uowredis.schema.models import FieldSchema, OnDelete, Relation
from uowredis.schema.multi import IndexKinds
from uowredis.values import ValueType

if TYPE_CHECKING:
    from typing_extensions import TypeVar as _TypeVar

    from uowredis.model.redis_model import RedisModel

    #: The model referred to; by its name alone it is not known, unless it is said: ``FKStringField["Person"]``.
    T = _TypeVar("T", bound=AnyModel[Any], default=RedisModel)
    #: What the primary keys of that are.
    K = _TypeVar("K", default=str)

    #: What stands for an object.
    Referring: TypeAlias = "T | K | BoundForeignKey[T, Any, Any] | BoundPK[Any, Any]"
else:
    T = TypeVar("T")
    K = TypeVar("K")

_NO_WORD = re.compile(r"\W")


class RelatedField(Field[K], Generic[T, K]):
    """What all fields have in common whose values are primary keys of another model; always indexed.

    Wherever a value is given, in commands, constructors and filters, it may be an instance, a primary key, or a bound
    foreign key, which is read first. An instance may be new: it gets its primary key with the same commit.

    Args:
        to: the other model: a class, ``"Name"`` (looked up in the namespace of the own model, then in the empty one),
            ``"namespace:Name"``, or ``"self"``; on the same database, declared before or after.
        related_name: name of the collection on the other side; ``%(namespace)s`` and ``%(model)s`` stand for those of
            the own model in lower case. By default ``%(model)s_set``.
        on_delete: what follows when an object referred to is deleted: ``CLEAR`` (the reference is taken away),
            ``CASCADE`` (whoever refers to it is deleted, too) or ``RESTRICT`` (the deletion is refused).
        check: refuse references to objects that are not there.
        options: as for the field without relation, but ``indexable``.

    Raises:
        ImplementationError: for options that the field does not have, or a name that cannot be.
    """

    relation: Relation
    target: type[AnyModel[Any]] | None

    if TYPE_CHECKING:

        @overload
        def __init__(
            self,
            to: type[T],
            related_name: str | None = None,
            *,
            on_delete: OnDelete = OnDelete.CLEAR,
            check: bool = False,
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self,
            to: str,
            related_name: str | None = None,
            *,
            on_delete: OnDelete = OnDelete.CLEAR,
            check: bool = False,
            **options: Any,
        ) -> None: ...

    def __init__(
        self,
        to: Any,
        related_name: str | None = None,
        *,
        on_delete: OnDelete = OnDelete.CLEAR,
        check: bool = False,
        **options: Any,
    ) -> None:
        if options.pop("indexable", True) is not True:
            raise ImplementationError(f"{type(self).__name__} is always indexed. Way out: leave indexable out")
        if options.pop("type", None) is not None:
            raise ImplementationError(
                f"{type(self).__name__} holds primary keys of the other model. Way out: leave type out, or give it to "
                f"the PKField there"
            )
        if not isinstance(on_delete, OnDelete):
            raise ImplementationError(
                f"{type(self).__name__}: on_delete must be CLEAR, CASCADE or RESTRICT of this module, not {on_delete!r}"
            )
        if not isinstance(check, bool):
            raise ImplementationError(f"{type(self).__name__}: check must be True or False, not {check!r}")
        if not (isinstance(to, str) and to.rpartition(":")[2].isidentifier()) and not isinstance(to, MetaRedisModel):
            raise ImplementationError(
                f"{type(self).__name__} refers to a RelatedModel, by class, name, 'namespace:Name' or 'self', "
                f"not {to!r}"
            )
        if related_name is not None and not isinstance(related_name, str):
            raise ImplementationError(f"{type(self).__name__}: related_name must be a str, not {related_name!r}")
        super().__init__(indexable=True, **options)
        self.to = to
        self.related_name = related_name
        self.on_delete = on_delete
        self.check = check

    def _options(self) -> tuple[str, ...]:
        own = (option for option in super()._options() if option not in ("indexable", "indexes", "type"))
        return ("to", "related_name", "on_delete", "check", *own)

    def named(self, name: str, model: str) -> Self:
        """Return a copy of the field under *name* on *model*, with a relation of its own."""
        field = super().named(name, model)
        assert isinstance(field, type(self))
        wanted = self.to if isinstance(self.to, str) else self.to.__name__
        field.target = None
        field.relation = Relation(model if wanted == "self" else wanted, self.on_delete, self.check)
        return field

    def check_model(self, model: type) -> None:
        """Check that *model* connects the field.

        Raises:
            ImplementationError: where it is no RelatedModel.
        """
        if not getattr(type(model), "relates", False):
            raise ImplementationError(
                f"{self} needs a RelatedModel to be connected. Way out: derive {model.__name__} from RelatedModel"
            )

    @property
    def holds(self) -> ValueType[Any] | None:
        """What the primary keys are that it refers to, None for text."""
        to = None if self.name == "" else self.relation.to
        return None if to is None else to.pk_holds

    def _check_default(self, default: Any) -> None:
        """Check nothing: what the primary keys are that it refers to may not be declared yet."""

    def schema(self, lockable: bool, default_indexes: IndexKinds | None = None) -> FieldSchema:
        """Return what was declared, as facts, as every field does; of indexes it has the ``EqualIndex``.

        Raises:
            ImplementationError: for other ones.
        """
        if self._declared is not None:
            raise ImplementationError(
                f"{self} refers to other objects, which are found by equal primary keys: it has an EqualIndex, and no "
                f"other. Way out: leave out indexes, and indexable"
            )
        schema = attrs.evolve(super().schema(lockable, (EqualIndex,)), relation=self.relation)
        if schema.none and not schema.single:
            raise ImplementationError(
                f"{self} refers to many objects, and who refers to none is not indexed. Way out: leave out none; "
                f"exclude({self.name}__in=[...]) for those that refer to none of some"
            )
        return schema

    def spell(self, value: Any) -> str:
        """Return the primary key that *value* stands for: an instance, a primary key, or a bound foreign key.

        Raises:
            ArgumentError: for an object of another model, an empty foreign key, or what has no spelling.
            DoesNotExist: for an object that was deleted, or made in a session that was rolled back.
        """
        if type(value) is self.target:
            # By far most values are stored instances of the right model.
            known: Identity = value.identity
            if known.pk is not None and known.state is State.STORED:
                return known.pk
        if isinstance(value, AnyModel | Placeholder):
            identity = value.identity
        elif isinstance(value, Bound):
            return self._spell_bound(value)
        else:
            return spelled(value, self.holds, self)
        if identity.model.declared is not self.relation.to:
            check_target(FieldSchema(self.name, self.kind, relation=self.relation), _Of(identity), self)
        state = identity.state
        if state is State.DELETED or state is State.FORGOTTEN:
            raise gone(identity)
        return identity.reference if identity.pk is None else identity.pk

    def _spell_bound(self, bound: Bound[Any]) -> str:
        check_current(bound._owner.identity)
        if isinstance(bound, PKField):
            return self.spell(bound._owner)
        if not isinstance(bound, BoundFKString | BoundFKInstanceHash):
            raise ArgumentError(f"{self} takes foreign keys and primary keys of instances, not the field {bound!r}")
        if bound._relation.to is not self.relation.to:
            raise ArgumentError(f"{self} refers to {self.relation.wanted}, and {bound!r} to {bound._relation.wanted}")
        return Borrowed(bound._value_read(as_text))

    def collection_name(self, model: MetaRedisModel) -> str:
        """Return the name of the collection on the other side of the field of *model*.

        Raises:
            ImplementationError: where it is no identifier.
        """
        pattern = "%(model)s_set" if self.related_name is None else self.related_name
        names = {"namespace": _NO_WORD.sub("_", model.namespace).lower(), "model": model.__name__.lower()}
        try:
            name = pattern % names
        except (KeyError, TypeError, ValueError) as error:
            raise ImplementationError(
                f"{self}: related_name {pattern!r} cannot be filled in ({error!r}). Way out: %(namespace)s and "
                f"%(model)s are known"
            ) from None
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ImplementationError(f"{self}: related_name {name!r} is no identifier of Python")
        return name


@attrs.frozen
class _Of:
    identity: Identity


class BoundRelated(Bound[K, "Referring[T, K]", M], Generic[T, K, M]):
    """A field of one instance whose values refer to objects."""

    __slots__ = ()

    @property
    def _relation(self) -> Relation:
        assert isinstance(self._field, RelatedField)
        return self._field.relation

    @property
    def _target(self) -> type[T]:
        return cast("type[T]", _target_of(self._field))


class BoundForeignKey(BoundRelated[T, K, M], Generic[T, K, M]):
    """A field of one instance whose value refers to one object."""

    __slots__ = ()
    _value_by = "instance(), or .get() for its primary key"

    def instance(self, lazy: bool = False) -> T | None:
        """Return the object referred to, None where there is none (GET or HGET, then SISMEMBER).

        Args:
            lazy: do not look it up; it is then looked up before its first write.

        Raises:
            DoesNotExist: where it is not there.
            ImplementationError: where its model is not declared.
        """
        target = self._target
        schema = schema_of(target)

        def there(pk: str | None, overlay: Overlay) -> Deciding[AnyModel[Any] | None]:
            if pk is None:
                return None
            model = overlay.speaking_of(schema.at(pk))
            if not lazy and not (yield from overlay.holds(model, pk)):
                raise absent(
                    schema,
                    f"{self!r} refers to {schema.name} {pk!r}, which does not exist (not in {model.keys.collection!r})",
                )
            return target._handle(pk, overlay.created(model, pk), tested=not lazy)

        instance: Any = self._owner
        found: T | None = instance._follow(self._value_read(as_text), target, there)
        return found


class BoundFKString(BoundForeignKey[T, K, M], BoundString[K, "Referring[T, K]", M], Generic[T, K, M]):
    """The foreign key of one instance."""

    __slots__ = ()


class BoundFKInstanceHash(BoundForeignKey[T, K, M], BoundInstanceHash[K, "Referring[T, K]", M], Generic[T, K, M]):
    """The foreign key of one instance, in its hash."""

    __slots__ = ()


class BoundManyToMany(BoundRelated[T, K, M], Generic[T, K, M]):
    """A field of one instance whose values refer to many objects."""

    __slots__ = ()
    _value_by = "collection(), or what reads its primary keys"

    def collection(self, **filters: Any) -> CollectionManager[T]:
        """Return a lazy query on the objects referred to that are there (SINTER, ZINTER, or LRANGE first for a list).

        Args:
            filters: as for ``collection()`` of their model.

        Raises:
            ImplementationError: where their model is not declared, or for a field without index.
        """
        found: CollectionManager[T] = self._target.collection(**filters)
        return found.intersect(self)

    __call__ = collection


class BoundM2MSet(BoundManyToMany[T, K, M], BoundSet[K, "Referring[T, K]", M], Generic[T, K, M]):
    """The references of one instance."""

    __slots__ = ()


class BoundM2MList(BoundManyToMany[T, K, M], BoundList[K, "Referring[T, K]", M], Generic[T, K, M]):
    """The references of one instance, in order."""

    __slots__ = ()


class BoundM2MSortedSet(BoundManyToMany[T, K, M], BoundSortedSet[K, "Referring[T, K]", M], Generic[T, K, M]):
    """The references of one instance, by score."""

    __slots__ = ()


class FKStringField(RelatedField[T, K], StringField[K], Generic[T, K]):
    """A foreign key in a string of its own."""

    bound: type[BoundFKString[T, K]] = BoundFKString
    bound_later: type[BoundFKString[T, K, Async]]


class FKInstanceHashField(RelatedField[T, K], InstanceHashField[K], Generic[T, K]):
    """A foreign key in the hash of the instance, read and written together with its siblings."""

    bound: type[BoundFKInstanceHash[T, K]] = BoundFKInstanceHash
    bound_later: type[BoundFKInstanceHash[T, K, Async]]


class M2MSetField(RelatedField[T, K], SetField[K], Generic[T, K]):
    """References to many objects, in no order, each once."""

    bound: type[BoundM2MSet[T, K]] = BoundM2MSet
    bound_later: type[BoundM2MSet[T, K, Async]]


class M2MListField(RelatedField[T, K], ListField[K], Generic[T, K]):
    """References to many objects, in order, the same one any number of times."""

    bound: type[BoundM2MList[T, K]] = BoundM2MList
    bound_later: type[BoundM2MList[T, K, Async]]


class M2MSortedSetField(RelatedField[T, K], SortedSetField[K], Generic[T, K]):
    """References to many objects, each once, ordered by a score."""

    bound: type[BoundM2MSortedSet[T, K]] = BoundM2MSortedSet
    bound_later: type[BoundM2MSortedSet[T, K, Async]]


def _target_of(field: Any) -> type[AnyModel[Any]]:
    if field.target is None:
        raise ImplementationError(
            f"{field} refers to {field.relation.wanted}, which is not declared on the same database. Way out: declare "
            f"it, or move it there with use_database()"
        )
    return cast("type[AnyModel[Any]]", field.target)
