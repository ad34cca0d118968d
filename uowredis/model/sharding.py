"""What a class says of its shards, and of what its objects are near (declare)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from uowredis.exceptions import ImplementationError
from uowredis.fields import Field, PKField
from uowredis.schema.facets import Facets
from uowredis.schema.joint import EqualIndexWith
from uowredis.schema.keys import Keys
from uowredis.schema.models import FieldSchema, Kind, ModelSchema
from uowredis.schema.shards import MOST

if TYPE_CHECKING:
    from uowredis.model.declaration import MetaRedisModel


def facets_of(model: MetaRedisModel) -> Facets | None:
    """Return the facets of *model*, None where it is not sharded.

    Raises:
        ImplementationError: for a number of shards that cannot be, a field that says no place, or what cannot be beside
            others.
    """
    near, shards = _said(model, "near"), _said(model, "shards")
    if near is None and shards is None:
        return None
    if model.place is not None:
        said = "shards" if near is None else "near"
        raise ImplementationError(
            f"{model.__name__} has a place and {said}, and an object is in one place. Way out: leave out one of them "
            f"({said} = None where it is inherited)"
        )
    keys = Keys.of_shards(model.namespace, model.__name__, model.stored_as)
    if near is not None:
        beside = _beside(model, near)
        count, kin = beside.count, beside.kin
        if shards not in (None, count):
            raise ImplementationError(
                f"{model.__name__} is near what {near} refers to, which is in {count} shards, and says shards = "
                f"{shards!r}. Way out: leave out shards"
            )
    else:
        count, kin = _checked(model, shards), keys.prefix

    def of_place(place: str) -> Keys:
        return Keys.of_model(model.namespace, model.__name__, model.stored_as, place)

    def anew() -> Mapping[str, FieldSchema]:
        made = {name: field.schema(model.lockable, model.default_indexes) for name, field in model._fields.items()}
        return {
            name: field
            if field.relation is None
            else attrs.evolve(field, relation=attrs.evolve(field.relation, to=None))
            for name, field in made.items()
            if field.kind is not Kind.PK
        }

    related = any(getattr(field, "relation", None) is not None for field in model._fields.values())
    return Facets(count, near, kin, of_place, anew if related else None)


def _said(model: MetaRedisModel, name: str) -> Any:
    """Return what *model*, or what it is derived from, says by *name*, which a field may have, too."""
    found = next((vars(base)[name] for base in model.__mro__ if name in vars(base)), None)
    return None if isinstance(found, Field) else found


def _checked(model: MetaRedisModel, shards: Any) -> int:
    if not isinstance(shards, int) or isinstance(shards, bool) or not 1 <= shards <= MOST:
        raise ImplementationError(
            f"The shards of {model.__name__} are a number from 1 to {MOST}, not {shards!r}. Way out: shards = 1024"
        )
    return shards


def _beside(model: MetaRedisModel, near: Any) -> Facets:
    """Return the facets of the model that the foreign key *near* refers to."""
    field = model._fields.get(near) if isinstance(near, str) else None
    if field is None or field.many or getattr(field, "relation", None) is None:
        raise ImplementationError(
            f"{model.__name__} has no foreign key {near!r} to be near to. Way out: near = the name of one, "
            f"FKInstanceHashField or FKStringField"
        )
    to = model._referred(field)
    schema = None if to is None else to._schema
    if schema is None or to is model:
        raise ImplementationError(
            f"{field} refers to {getattr(field, 'to', None)!r}, which is not declared yet, and {model.__name__} would "
            f"be near it. Way out: declare that model before, on the same database"
        )
    if schema.facets is None:
        raise ImplementationError(
            f"{model.__name__} would be near {schema.name}, which is not sharded. Way out: shards = ... on "
            f"{schema.name}; or the same place = ... on both, and no near"
        )
    own = next(each for each in model._fields.values() if isinstance(each, PKField))
    if schema.auto and not own.auto:
        raise ImplementationError(
            f"{model.__name__} chooses its primary keys, and would be near {schema.name}, whose primary keys are "
            f"counted: what is chosen would not say the same shard. Way out: an AutoPKField on {model.__name__}, or a "
            f"PKField on {schema.name}"
        )
    return schema.facets


def check_unique(schema: ModelSchema) -> None:
    """Check that what is unique in *schema*, a sharded model, is so within one place.

    Raises:
        ImplementationError: where it is not.
    """
    assert schema.facets is not None
    near = schema.facets.near
    for field in schema.fields.values():
        joint = [each for each in field.joint if isinstance(each, EqualIndexWith) and each.unique]
        if field.unique or any(near not in [each.name for each in index.fields] for index in joint):
            beside = "near, and " if near is None else ""
            named = "its field" if near is None else repr(near)
            raise ImplementationError(
                f"{schema.name}.{field.name} would be unique over {schema.facets.count} places, which is not there "
                f"yet. Way out: a PKField for what is unique everywhere; {beside}an EqualIndexWith that names {named} "
                f"and is unique=True, for what is unique together with that; or place = ... in place of shards"
            )
