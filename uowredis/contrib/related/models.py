"""Relations between models (declare): the fields that refer, the models, and the collections on the other side.

Only declared here: what follows when an object is deleted is planned from facts in the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from uowredis.contrib.related.fields import RelatedField
from uowredis.exceptions import ImplementationError
from uowredis.model.any_model import AnyModel, with_subclasses
from uowredis.model.declaration import MetaRedisModel, database_of, schema_of
from uowredis.model.redis_model import RedisModel
from uowredis.schema.keys import Keys
from uowredis.schema.models import ModelSchema, OnDelete

if TYPE_CHECKING:
    from uowredis.collection.manager import CollectionManager
    from uowredis.database import RedisDatabase

T = TypeVar("T", bound=RedisModel)

#: Whoever refers to a deleted object loses the reference; the default.
CLEAR = OnDelete.CLEAR
#: Whoever refers to a deleted object is deleted, too.
CASCADE = OnDelete.CASCADE
#: An object that others refer to cannot be deleted.
RESTRICT = OnDelete.RESTRICT


class RelatedCollections:
    """The other side of a relation, on the model referred to: ``person.group_set(private=0)``."""

    def __init__(self, field: RelatedField, model: type[AnyModel[Any]], to: type[AnyModel[Any]], name: str) -> None:
        self.field: Any = field
        self._model: Any = model
        self._to = to
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        if owner is not self._to:
            # A subclass is another model, with relations of its own.
            raise AttributeError(
                f"{owner.__name__} has no collection {self._name!r}: {self.field} refers to {self._to.__name__}"
            )
        return self if instance is None else Related(self, instance)

    def __set__(self, instance: object, value: object) -> None:
        raise AttributeError(f"{self._to.__name__}.{self._name} cannot be assigned to: it follows from {self.field}")

    def __repr__(self) -> str:
        return f"<{self._to.__name__}.{self._name} of {self.field}>"


@attrs.frozen(eq=False)
class Related(Generic[T]):
    """The objects that refer to one instance by one field: ``books: Related[Book]`` in the class of that."""

    _of: RelatedCollections
    _instance: Any

    def __call__(self, **filters: Any) -> CollectionManager[T]:
        """Return a lazy query on the objects that refer to the instance.

        Args:
            filters: more conditions, as for ``collection()`` of their model.

        Raises:
            ImplementationError: for a field without index, or one that is not there.
        """
        model: type[T] = self._of._model
        return model.collection(None, **{self._of.field.name: self._instance}).filter(**filters)

    def __repr__(self) -> str:
        return f"<{self._instance}.{self._of._name}>"


# Which fields refer to which models.


@attrs.frozen
class _Link:
    """One relation between declared models."""

    model: type[AnyModel[Any]]
    field: Any
    to: type[AnyModel[Any]]
    name: str


def _related_models(models: Iterable[type]) -> list[Any]:
    return [model for model in models if isinstance(model, MetaRelatedModel)]


def _related_fields(model: MetaRedisModel) -> list[RelatedField]:
    return [field for field in model._fields.values() if isinstance(field, RelatedField)]


def _links(declared: Sequence[type[AnyModel[Any]]], again: tuple[Any, ...] = ()) -> list[_Link]:
    """Return the relations among the models *declared*.

    Args:
        declared: each class of them once.
        again: a class that is about to give way, and the one of *declared* that comes in its place.

    Raises:
        ImplementationError: for names of collections that are taken, or cannot be; both places are named.
    """
    by_name = {(model.namespace, model.__name__.lower()): model for model in declared}
    by_schema = {model._schema: model for model in declared}
    if again:
        former, latest = again
        by_schema[former._schema] = latest
    taken: dict[tuple[type, str], RelatedField] = {}
    links: list[_Link] = []
    for model in _related_models(declared):
        for field in _related_fields(model):
            name = field.collection_name(model)
            to = _named(field.to, model, by_name) if isinstance(field.to, str) else _latest(field.to, by_schema)
            if to is None:
                continue
            if not isinstance(to, MetaRelatedModel):
                raise ImplementationError(f"{field} cannot refer to {to.__name__}, which is no RelatedModel")
            if _where(to) != _where(model):
                raise ImplementationError(
                    f"{field} refers to {to.__name__}, which is {_where(to)}, from {_where(model)}: they could not "
                    f"change together. Way out: one place = ... for both; near = ... where both are sharded; or a "
                    f"plain field, indexable=True"
                )
            other = taken.setdefault((to, name), field)
            if other is not field:
                raise ImplementationError(
                    f"{to.__name__}.{name} would be the collection of {other} and of {field}. Way out: another "
                    f"related_name for one of them"
                )
            if _has(to, name):
                raise ImplementationError(
                    f"{to.__name__} has {name!r} already, and it would be the collection of {field}. Way out: "
                    f"another related_name for {field}"
                )
            links.append(_Link(model, field, to, name))
    return links


def _where(model: type[AnyModel[Any]]) -> str:
    """Return in words where objects of *model* are: the same where they are together."""
    facets = schema_of(model).facets
    if facets is not None:
        return f"in the {facets.count} shards of {Keys(facets.kin).without_place}"
    return "in no place" if model.place is None else f"in place {model.place!r}"


def _latest(to: Any, by_schema: dict[ModelSchema | None, type[AnyModel[Any]]]) -> type[AnyModel[Any]] | None:
    """Return the class *to*, or the one that was declared again in its place; None for none among those declared."""
    schema = to._schema
    while schema is not None and schema not in by_schema:
        schema = schema.successor
    return None if schema is None else by_schema[schema]


def _named(
    to: str, model: type[AnyModel[Any]], by_name: dict[tuple[str, str], type[AnyModel[Any]]]
) -> type[AnyModel[Any]] | None:
    if to == "self":
        return model
    namespace, separator, name = to.rpartition(":")
    name = name.lower()
    return (
        by_name.get((namespace, name)) if separator else by_name.get((model.namespace, name)) or by_name.get(("", name))
    )


def _has(model: type, name: str) -> bool:
    if name in AnyModel.__annotations__ or hasattr(type(model), name):
        return True
    found = next((vars(base)[name] for base in model.__mro__ if name in vars(base)), None)
    return found is not None and not isinstance(found, RelatedCollections)


def _relate(database: RedisDatabase) -> None:
    """Connect the fields of the models of *database* with the models they refer to, as declared so far."""
    links = _links(database.models)
    models = _related_models(database.models)
    for model in models:
        schema_of(model).referrers.clear()
        for name in [name for name, value in vars(model).items() if isinstance(value, RelatedCollections)]:
            delattr(model, name)
        for field in _related_fields(model):
            field.relation.to = field.target = None
    for link in links:
        schema, to = schema_of(link.model), schema_of(link.to)
        link.field.relation.to, link.field.target = to, link.to
        link.field.relation.other_side = link.name
        to.referrers.append((schema, schema.fields[link.field.name]))
        setattr(link.to, link.name, RelatedCollections(link.field, link.model, link.to, link.name))
    for model in models:
        if (facets := schema_of(model).facets) is not None:
            facets.connect(schema_of(model))
    database._fingerprints.relate()


class MetaRelatedModel(MetaRedisModel):
    """Connects the fields of a model with the models they refer to."""

    relates = True

    def _referred(cls, field: Any) -> Any:  # noqa: N805  # of a metaclass
        to = field.to
        database = database_of(cls)
        declared = [] if database is None else database.models
        if isinstance(to, str):
            return _named(to, cls, {(each.namespace, each.__name__.lower()): each for each in declared})  # type: ignore[arg-type]
        return _latest(to, {each._schema: each for each in declared})

    def _join(cls, database: RedisDatabase) -> None:  # noqa: N805  # of a metaclass
        for field in _related_fields(cls):
            _check_class(field, cls)
        former = database._former(cls)
        others = [model for model in database.models if model is not former]
        joined: tuple[Any, ...] = (*others, cls)
        _links(joined, () if former is None else (former, cls))
        super()._join(database)
        _relate(database)


def _check_class(field: RelatedField, model: MetaRedisModel) -> None:
    to = field.to
    if isinstance(to, str):
        return
    if not isinstance(to, MetaRelatedModel):
        reason = "is no RelatedModel"
    elif to.abstract:
        reason = "is abstract"
    elif database_of(to) is not database_of(model):
        reason = "is on another database"
    else:
        return
    raise ImplementationError(f"{field} cannot refer to {to.__name__}, which {reason}")


def with_relations(model: type[AnyModel[Any]], database: RedisDatabase, move: Callable[[RedisDatabase], None]) -> None:
    """Have *model* moved to *database* by *move*, with its relations.

    Raises:
        ImplementationError: where a model or a collection of that name is there already; nothing is moved.
    """
    old = database_of(model)
    moving = [each for each in with_subclasses(model) if database_of(each) is old and each._schema is not None]
    _links((*database.models, *moving))
    move(database)
    if old is not None:
        _relate(old)
    _relate(database)


class RelatedModel(RedisModel, metaclass=MetaRelatedModel):
    """A model that may refer to others and be referred to.

    When an object is deleted, whoever refers to it loses the reference in the same transaction, is deleted, too, or
    keeps it from being deleted, as their fields declare by ``on_delete``.
    """

    abstract = True

    @classmethod
    def use_database(cls, database: RedisDatabase) -> None:
        """Move the model to *database* with its relations, and its subclasses that were on the same one.

        A relation whose other side stays behind is unconnected until that moves, too.

        Raises:
            ImplementationError: where a model or a collection of that name is there already; nothing is moved.
            SessionError: while a session of the former database is open.
        """
        with_relations(cls, database, super().use_database)
