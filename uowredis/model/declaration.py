"""What a class declares becomes a model: its fields, its schema, its place in the database (declare)."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from uowredis.commands.identity import check_current
from uowredis.database import RedisDatabase
from uowredis.exceptions import DoesNotExist, ImplementationError, missing
from uowredis.fields import AutoPKField, Field, PKField
from uowredis.fields.indexes import check_joint
from uowredis.model.facts import FieldFacts, facts_of
from uowredis.model.misnamed import AWAITED_OF_A_MODEL, OF_A_MODEL
from uowredis.model.sharding import check_unique, facets_of
from uowredis.schema.keys import INSTANCE_HASH, RESERVED, Keys, why_no_place, why_not_stored
from uowredis.schema.models import FieldSchema, ModelSchema
from uowredis.schema.multi import IndexKinds
from uowredis.schema.shards import is_tag


class MetaRedisModel(type):
    """Reads what a class declares: checks it, gives it fields of its own, and registers it with its database."""

    _fields: dict[str, Field[Any]]
    #: What a constructor takes beside the pk: name, field, facts, stored name, whether text is stored as it is given.
    _given: tuple[tuple[str, Field[Any], FieldSchema, str, bool], ...]
    _own_pk: bool
    _schema: ModelSchema | None
    namespace: str
    place: str | None
    stored_as: str | None
    DoesNotExist: type[DoesNotExist]
    abstract: bool
    lockable: bool
    default_indexes: IndexKinds | None

    def __new__(mcs, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> MetaRedisModel:
        """Make the class; ``abstract`` and ``stored_as`` are not inherited."""
        attributes.setdefault("abstract", False)
        attributes.setdefault("stored_as", None)
        # A class that is made by a call has no module of its own, and would get that of this file.
        attributes.setdefault("__module__", sys._getframe(1).f_globals.get("__name__", __name__))
        declared = {key: value for key, value in attributes.items() if isinstance(value, Field)}
        for key in declared:
            _check_name(name, key, declared[key], bases)
        cls = super().__new__(mcs, name, bases, attributes)
        if "DoesNotExist" not in attributes:
            cls.DoesNotExist = _own_error(cls)
        cls._take_fields(declared)
        cls._schema = None
        _check_stored_as(cls)
        if not cls.abstract:
            cls._become_concrete()
        return cls

    @property
    def fields(cls) -> Mapping[str, FieldFacts]:
        """What the fields were declared to be, by name, in the order of the declaration, the primary key too.

        An abstract model has facts, too. What a reference leads to is told as it is declared by now.
        """
        schemas: Mapping[str, FieldSchema] = {} if cls._schema is None else cls._schema.fields
        facts = {}
        for name, field in cls._fields.items():
            of_pk = isinstance(field, PKField)
            schema = schemas.get(name) or (None if of_pk else field.schema(cls.lockable, cls.default_indexes))
            facts[name] = facts_of(field, schema)
        return MappingProxyType(facts)

    def _take_fields(cls, declared: dict[str, Field[Any]]) -> None:
        inherited: dict[str, Field[Any]] = {}
        own_pk = False
        for base in reversed(cls.__mro__[1:]):
            if isinstance(base, MetaRedisModel):
                own_pk = own_pk or base._own_pk
                inherited |= base._fields
            else:
                mixed = {key: field for key, field in vars(base).items() if isinstance(field, Field)}
                own_pk = own_pk or any(isinstance(field, PKField) for field in mixed.values())
                inherited |= mixed
        for key in inherited.keys() & vars(cls).keys() - declared.keys():
            raise ImplementationError(
                f"{cls.__name__}.{key} would hide the field of that name that it inherits. Way out: another name"
            )
        chosen = [key for key, field in declared.items() if isinstance(field, PKField)]
        if not own_pk and chosen:
            inherited = {key: field for key, field in inherited.items() if not isinstance(field, PKField)}
        cls._own_pk = own_pk or bool(chosen)
        fields = {key: field.named(key, cls.__name__) for key, field in (inherited | declared).items()}
        keys = [key for key, field in fields.items() if isinstance(field, PKField)]
        if len(keys) > 1:
            raise ImplementationError(
                f"{cls.__name__} has {len(keys)} primary keys: {', '.join(keys)}. Way out: keep one of them"
            )
        if not keys and not cls.abstract:
            fields = {"pk": AutoPKField().named("pk", cls.__name__)} | fields
        _check_stored(cls.__name__, fields)
        cls._fields = fields
        for key, field in fields.items():
            setattr(cls, key, field)
            if isinstance(field, PKField):
                cls.pk = field

    def __setattr__(cls, name: str, value: Any) -> None:
        if isinstance(value, Field) and value not in cls._fields.values():
            raise ImplementationError(
                f"{cls.__name__}.{name} comes too late: fields are declared in the class. Way out: a subclass"
            )
        super().__setattr__(name, value)

    if not TYPE_CHECKING:  # else every attribute would be there

        def __getattr__(cls, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            raise missing(cls.__name__, name, AWAITED_OF_A_MODEL if cls._is_awaited else OF_A_MODEL)

    def _become_concrete(cls) -> None:
        database = database_of(cls)
        if not isinstance(database, RedisDatabase):
            raise ImplementationError(
                f"{cls.__name__} needs a database, a RedisDatabase, not {database!r}. Way out: set database = ... "
                f"on it, or abstract = True"
            )
        pk_field = next(field for field in cls._fields.values() if isinstance(field, PKField))
        if not isinstance(cls.namespace, str):
            raise ImplementationError(
                f"The namespace of {cls.__name__} is text, not {type(cls.namespace).__name__}. Way out: namespace = "
                f"{str(cls.namespace)!r}"
            )
        if "*" in cls.namespace:
            raise ImplementationError(
                f"The namespace of {cls.__name__} cannot be {cls.namespace!r}: '*' is a placeholder in patterns of SORT"
            )
        if cls.place is not None:
            _check_place(cls.__name__, cls.place)
        for field in cls._fields.values():
            field.check_model(cls)
        fields = {
            name: field.schema(cls.lockable, cls.default_indexes)
            for name, field in cls._fields.items()
            if field is not pk_field
        }
        check_joint(cls.__name__, fields)
        facets = facets_of(cls)
        if facets is None:
            keys = Keys.of_model(cls.namespace, cls.__name__, cls.stored_as, cls.place)
        else:
            keys = Keys.of_shards(cls.namespace, cls.__name__, cls.stored_as)
        schema = ModelSchema(
            cls.__name__,
            keys,
            pk_field.name,
            pk_field.auto,
            fields,
            f"{cls.__module__}:{cls.__qualname__}",
            pk_holds=pk_field.holds,
            absent=cls.DoesNotExist,
            facets=facets,
        )
        if facets is not None:
            check_unique(schema)
        cls._schema = schema
        for field in cls._fields.values():
            field.declared_on(schema, cls._fields)
        cls._given = tuple(
            (name, field, fields[name], field.stored, field.stores_text_as_given)
            for name, field in cls._fields.items()
            if field is not pk_field
        )
        try:
            cls._join(database)
        except ImplementationError:
            cls._schema = None
            raise

    def _referred(cls, field: Field[Any]) -> MetaRedisModel | None:
        """Return the model that a foreign key of this one refers to, None where it is not declared yet."""
        return None

    def _join(cls, database: RedisDatabase) -> None:
        """Take the class's place on *database*, that of a former declaration of it where there is one.

        Raises:
            ImplementationError: where it cannot be there; nothing has changed.
        """
        database._register(cls)


def _check_place(name: str, place: Any) -> None:
    if not isinstance(place, str):
        raise ImplementationError(
            f"The place of {name} is text, not {type(place).__name__}. Way out: place = {str(place)!r}"
        )
    reason = "places of shards are called so" if is_tag(place) else why_no_place(place)
    if reason is not None:
        raise ImplementationError(
            f"The place of {name} cannot be {place!r}: {reason}. Way out: another word, e.g. place = 'shop'"
        )


def _own_error(model: MetaRedisModel) -> type[DoesNotExist]:
    """Return the error for an object of *model* that is not there, below those of the models it is derived from."""
    above = tuple(base.DoesNotExist for base in model.__bases__ if isinstance(base, MetaRedisModel))
    place = {"__module__": model.__module__, "__qualname__": f"{model.__qualname__}.DoesNotExist"}
    return type("DoesNotExist", above, {**place, "__doc__": f"The {model.__name__} asked for is not there."})


def _check_name(model: str, name: str, field: Field[Any], bases: Sequence[type]) -> None:
    taken = next((base for base in bases if not isinstance(getattr(base, name, field), Field)), None)
    if name in ("cls", "manager", "self"):
        reason = "filters could not name it"
    elif name in RESERVED or name == INSTANCE_HASH:
        reason = "its keys would collide with the library's own"
    elif name == "pk" and not isinstance(field, PKField):
        reason = "pk is the name of the primary key"
    elif taken is not None:
        reason = f"{taken.__name__} has a method or attribute of that name"
    elif "__" in name:
        reason = "'__' separates a field from its entry in filters"
    else:
        return
    raise ImplementationError(f"{model} cannot have a field named {name!r}: {reason}. Way out: another name")


def _check_stored(model: str, fields: Mapping[str, Field[Any]]) -> None:
    """Check what the *fields* of a model are stored as: no two things may share a name in Redis, nor seem to.

    Raises:
        ImplementationError: naming the field, and what is in its way.
    """
    taken: dict[str, Field[Any]] = {}
    for name, field in fields.items():
        stored = field.stored
        reason = None if field.stored_as is None else why_not_stored(stored, field=True)
        if reason is None and stored != name and stored in fields:
            reason = f"{fields[stored]} has that name"
        if reason is None and (other := taken.setdefault(stored, field)) is not field:
            reason = f"{other} is stored so"
        if reason is not None:
            raise ImplementationError(f"{model}.{name} cannot be stored as {stored!r}: {reason}. Way out: another name")


def _check_stored_as(model: MetaRedisModel) -> None:
    mixins = [base for base in model.__mro__ if not isinstance(base, MetaRedisModel)]
    handed_down = [vars(base)["stored_as"] for base in mixins if isinstance(vars(base).get("stored_as"), str)]
    stored_as: object = model.stored_as if model.stored_as is not None else next(iter(handed_down), None)
    reason: str | None
    if stored_as is None:
        return
    if not isinstance(stored_as, str):
        reason = f"it must be text, not {type(stored_as).__name__}"
    elif model.abstract:
        reason = "it is abstract, and stored_as is not handed down"
    elif model.stored_as is None:
        reason = "stored_as is not inherited, because two models would share it; it is said in the model itself"
    else:
        reason = why_not_stored(stored_as, field=False)
    if reason is not None:
        raise ImplementationError(
            f"{model.__name__} cannot be stored as {stored_as!r}: {reason}. Way out: another name, or none"
        )


def database_of(model: MetaRedisModel) -> RedisDatabase | None:
    """Return where the objects of *model* are.

    To a type checker ``database`` is what a model says, and nothing else.
    """
    found: RedisDatabase | None = model.database  # type: ignore[attr-defined]
    return found


def schema_of(model: MetaRedisModel) -> ModelSchema:
    """Return the facts of a model.

    Raises:
        ImplementationError: for an abstract one, and one that was declared again.
    """
    schema = model._schema
    if schema is None:
        raise ImplementationError(f"{model.__name__} is abstract and has no objects. Way out: a subclass of it")
    if schema.successor is not None:
        check_current(schema)
    return schema
