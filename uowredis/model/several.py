"""Several objects at once by their primary keys or by rows, and all that one holds (say)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from uowredis.collection.conditions import given_pk
from uowredis.commands.arguments import shown
from uowredis.commands.commands import Create
from uowredis.commands.identity import Identity, State
from uowredis.commands.values import pk_value
from uowredis.commands.whole import whole_read
from uowredis.exceptions import ArgumentError, ArgumentTypeError, absent
from uowredis.model.any_model import AnyModel, set_quickly
from uowredis.model.declaration import database_of, schema_of
from uowredis.overlay.gathering import gathered
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Deciding
from uowredis.schema.models import ModelSchema
from uowredis.session.batches import Batches

if TYPE_CHECKING:
    from uowredis.model.redis_model import RedisModel

S = TypeVar("S")
T = TypeVar("T", bound="RedisModel")
H = TypeVar("H", bound="AnyModel[Any]")

#: Primary keys of objects that were found, and those that the open session makes.
Found: TypeAlias = tuple[Sequence[str], Mapping[str | None, Identity]]

#: What thousands of primary keys are, as a rule: what an object would need is not gone through for these.
_PLAIN = frozenset((str, int))

#: How many primary keys that are not there an error names.
_NAMED = 10


def get_many(model: type[T], pks: Iterable[Any], missing: str) -> list[T]:
    """Do what :meth:`RedisModel.get_many` says."""
    given = given_many(model, pks, missing)
    found, absentees = model._find(lambda overlay: of_pks(schema_of(model), given, overlay))
    check_there(model, absentees, missing)
    return model._handles(*found)


def given_many(model: type[AnyModel[Any]], pks: Iterable[Any], missing: str) -> list[Any]:
    """Return what ``get_many()`` was given, checked.

    Raises:
        ArgumentError: for another *missing*.
        ArgumentTypeError: for what is not several.
    """
    if missing not in ("raise", "skip"):
        raise ArgumentError(f"get_many(missing=...) takes 'raise' or 'skip', not {shown(missing)}")
    if isinstance(pks, str | bytes | Mapping) or not isinstance(pks, Iterable):
        raise ArgumentTypeError(
            f"{schema_of(model).name}.get_many() takes several primary keys, not {shown(pks)}. Way out: a list of them"
        )
    return list(pks)


def check_there(model: type[AnyModel[Any]], absentees: Sequence[Any], missing: str) -> None:
    """Check that there are no *absentees* of those that were asked for, unless they are to be left out.

    Raises:
        DoesNotExist: where there are.
    """
    if absentees and missing == "raise":
        schema, more = schema_of(model), len(absentees) - _NAMED
        named = ", ".join(map(shown, absentees[:_NAMED])) + (f" and {more} more" if more > 0 else "")
        raise absent(
            schema,
            f"No {schema.name} found with pk {named} (not in {schema.keys.collection!r}). Way out: "
            f"get_many(..., missing='skip') leaves out what is not there",
        )


def of_pks(schema: ModelSchema, given: Sequence[Any], overlay: Overlay) -> Deciding[tuple[Found, list[Any]]]:
    """Return which of the primary keys *given* are those of objects that are there, and those *given* that are not.

    With them come the objects that the open session makes.
    """
    plain = _plain(given) if schema.pk_holds is None else None
    pks: list[str | None] = []
    if plain is None:
        for each in given:
            pks.append((yield from given_pk(schema, each, overlay, " in get_many()")))
        plain = [pk for pk in pks if pk is not None]
    by_model = schema.spread(plain)
    models = [overlay.speaking_of(model) for model in by_model]
    questions = {model: overlay.holding(model, by_model[model]) for model in models}
    there = frozenset[str]().union(*(yield from gathered(overlay, questions)))
    absentees: list[Any] = []
    if pks or not there.issuperset(plain):
        absentees = [each for each, pk in zip(given, pks or plain, strict=True) if pk not in there]
        plain = [pk for pk in plain if pk in there]
    made = {pk: each for model in models for pk, each in overlay.created_among(model, by_model[model]).items()}
    return (plain, made), absentees


def _plain(given: Sequence[Any]) -> list[str] | None:
    """Return primary keys that are all text, or integers, as text; None where each is to be looked at."""
    if not _PLAIN.issuperset(map(type, given)):
        return None
    try:
        pks = list(map(str, given))
    except ValueError:
        return None  # so long an integer
    return pks if "".join(pks).isascii() else None


def lazy_connect(model: type[T], pk: Any) -> T:
    """Do what :meth:`RedisModel.lazy_connect` says."""
    return handle_of(model, model._find(lambda overlay: not_looked_up(schema_of(model), pk, overlay)))


def not_looked_up(schema: ModelSchema, given: Any, overlay: Overlay) -> Deciding[Identity]:
    """Return the object that has the primary key *given*, if there is one.

    Raises:
        ArgumentError: for what can be no primary key.
    """
    pk = yield from given_pk(schema, given, overlay, " in lazy_connect()")
    reason = "there is none yet" if pk is None else schema.why_not_a_pk(pk)
    if pk is None or reason is not None:
        raise ArgumentError(f"{schema.name}.lazy_connect() cannot take {shown(given)}: {reason}")
    model = schema.at(pk)
    return overlay.created(model, pk) or Identity(model, pk, State.UNTESTED)


def handle_of(model: type[H], identity: Identity) -> H:
    """Return a handle of the object."""
    handle = model.__new__(model)
    set_quickly(handle, "_identity", identity)
    return handle


def create_many(model: type[T], rows: Iterable[Mapping[str, Any]], batches: Batches) -> list[T]:
    """Do what :meth:`RedisModel.create_many` says."""
    made: dict[int, T] = {}

    def say(part: Sequence[Create]) -> None:
        for create in part:
            instance = made[id(create)] = model.__new__(model)
            instance._begin(create)

    database, creates = database_of(model), creations(model, rows)
    assert database is not None
    batches.say(database, creates, say, lambda part: same(part))
    return [made[id(create)] for create in creates]


def same(part: Sequence[S]) -> Sequence[S]:
    """Return *part*: of what is created nothing vanishes."""
    return part


def creations(model: type[AnyModel[Any]], rows: Iterable[Mapping[str, Any]]) -> list[Create]:
    """Return what creates the objects of *rows*: each is looked at once, since an iterator in it is gone after that.

    Raises:
        ArgumentTypeError: for what are no rows.
        ArgumentError: for one that is none of the model.
    """
    schema, found = schema_of(model), []
    given = [] if isinstance(rows, str | bytes | Mapping) else list(rows)
    for number, row in enumerate(given):
        if not (isinstance(row, Mapping) and all(isinstance(name, str) for name in row)):
            raise ArgumentTypeError(f"{schema.name}.create_many() takes mappings of fields to values, not {shown(row)}")
        try:
            found.append(model._creation(schema, dict(row)))
        except ArgumentError as error:
            error.add_note(f"uowredis: in row {number} of create_many(), counted from 0; nothing was written")
            raise
    if not given and rows:
        raise ArgumentTypeError(
            f"{schema.name}.create_many() takes several rows, not {shown(rows)}. Way out: a list of mappings"
        )
    return found


def to_dict(instance: RedisModel) -> dict[str, Any]:
    """Do what :meth:`RedisModel.to_dict` says."""
    return whole(instance, instance._find(lambda overlay: all_held(instance, overlay)))


def all_held(instance: AnyModel[Any], overlay: Overlay) -> Deciding[list[Any]]:
    """Return what all fields of *instance* but its primary key hold."""
    identity = instance.identity
    if identity.state is State.CREATED:
        overlay.check_new(identity)
    return (yield from overlay.read_all([whole_read(identity, field) for field in identity.model.fields.values()]))


def whole(instance: AnyModel[Any], held: list[Any]) -> dict[str, Any]:
    """Return what *instance* holds in all its fields, of which the others are *held*."""
    identity = instance.identity
    schema = identity.model
    found = dict(zip(schema.fields, held, strict=True))
    pk = None if identity.pk is None else pk_value(schema, identity.pk)
    return {name: pk if name == schema.pk_field else found[name] for name in type(instance)._fields}
