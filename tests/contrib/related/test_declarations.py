"""What relations are declared to be: where they point, how the other side is called, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tools.backends import Backend, Embedded
from uowredis import (
    ImplementationError,
    InstanceHashField,
    RedisDatabase,
    RedisModel,
    SetField,
    StringField,
)
from uowredis.contrib.related import (
    FKInstanceHashField,
    FKStringField,
    M2MListField,
    M2MSetField,
    M2MSortedSetField,
    RelatedModel,
)

FIELDS = [FKStringField, FKInstanceHashField, M2MSetField, M2MListField, M2MSortedSetField]


@pytest.fixture
def db(embedded: Embedded) -> RedisDatabase:
    """Declaring sends nothing, so that one kind of server is enough."""
    return embedded.database()


def model(on: RedisDatabase, called: str, namespace: str = "", base: type = RelatedModel, **attributes: Any) -> Any:
    """Declare a model as a class statement does."""
    return type(base)(called, (base,), {"database": on, "namespace": namespace, **attributes})


def target(field: Any) -> Any:
    """The model that a declared field refers to, seen from its own side; None where it is not declared."""
    return field.target


# Where a field points.


@pytest.mark.parametrize("field", FIELDS)
def test_every_way_to_name_the_other_model(db: RedisDatabase, field: Any) -> None:
    """A class, its name, its name with the namespace, and ``self``, for each type of field."""
    person = model(db, "Person")
    group = model(
        db,
        "Group",
        a=field(person, related_name="of_a"),
        b=field("Person", related_name="of_b"),
        c=field(":Person", related_name="of_c"),
        d=field("self", related_name="of_d"),
        e=field("person", related_name="of_e"),
    )
    assert [person, person, person, group, person] == [target(getattr(group, name)) for name in "abcde"]
    assert [True, True, True, False, True] == [hasattr(person, f"of_{name}") for name in "abcde"]


@pytest.mark.parametrize("to", ["Person", "people:Person", "ours:Person"])
def test_a_model_may_be_declared_after_those_that_refer_to_it(db: RedisDatabase, to: str) -> None:
    """It is connected when it comes, with all that wait for it."""
    namespace = "people" if to.startswith("people") else "ours"
    group = model(db, "Group", "ours", owner=FKStringField(to))
    band = model(db, "Band", "ours", members=M2MSetField(to))
    assert [None, None] == [target(group.owner), target(band.members)]
    person = model(db, "Person", namespace)
    assert [person, person] == [target(group.owner), target(band.members)]
    assert [True, True] == [hasattr(person, "group_set"), hasattr(person, "band_set")]


def test_a_bare_name_is_looked_up_in_the_own_namespace_then_in_the_empty_one(db: RedisDatabase) -> None:
    """Never in others."""
    group = model(db, "Group", "ours", owner=FKStringField("Person"))
    model(db, "Person", "theirs")
    assert None is target(group.owner)
    common = model(db, "Person")
    assert common is target(group.owner)
    own = model(db, "Person", "ours")
    assert own is target(group.owner)
    assert [False, True] == [hasattr(common, "group_set"), hasattr(own, "group_set")]


def test_a_name_with_an_empty_namespace_skips_the_own_one(db: RedisDatabase) -> None:
    """``:Person`` is the model without namespace."""
    common, own = model(db, "Person"), model(db, "Person", "ours")
    group = model(db, "Group", "ours", owner=FKStringField(":Person"))
    assert [common, False] == [target(group.owner), hasattr(own, "group_set")]


def test_a_namespace_may_hold_colons(db: RedisDatabase) -> None:
    """The name stands after the last one."""
    person = model(db, "Person", "a:b")
    group = model(db, "Group", owner=FKStringField("a:b:Person", related_name="%(namespace)s_of_%(model)s"))
    other = model(db, "Group", "x-y:z", owner=FKStringField("a:b:Person", related_name="%(namespace)s_of_%(model)s"))
    assert [person, person] == [target(group.owner), target(other.owner)]
    assert [True, True] == [hasattr(person, "_of_group"), hasattr(person, "x_y_z_of_group")]


# Names of collections.


def test_the_default_name_is_that_of_the_model(db: RedisDatabase) -> None:
    """``<model>_set``, in lower case."""
    person = model(db, "Person")
    model(db, "MusicGroup", "some", owner=FKStringField(person))
    assert hasattr(person, "musicgroup_set")


Declare = Callable[[RedisDatabase], Any]


def first_group(db: RedisDatabase) -> Any:
    return model(db, "Group", "other", a=FKStringField(":Person"))


def declaring(**fields: Any) -> Declare:
    return lambda db: model(db, "Group", **fields)


#: What is there before, what refers, the attributes of what is referred to, and the two places to be named.
CLASHES: dict[str, tuple[Declare, Declare, dict[str, Any], tuple[str, str]]] = {
    "two fields of a model": (
        lambda db: None,
        declaring(a=FKStringField("Person"), b=M2MSetField("Person")),
        {},
        ("Group.a", "Group.b"),
    ),
    "fields of two models": (first_group, declaring(b=FKStringField("Person")), {}, ("Group.a", "Group.b")),
    "a field": (
        lambda db: None,
        declaring(a=FKStringField("Person", related_name="name")),
        {"name": StringField()},
        ("Person", "Group.a"),
    ),
    "a method": (
        lambda db: None,
        declaring(a=FKStringField("Person", related_name="groups")),
        {"groups": lambda self: None},
        ("Person", "Group.a"),
    ),
}


@pytest.mark.parametrize("late", [False, True], ids=["referring last", "referred to last"])
@pytest.mark.parametrize(("there", "declare", "attributes", "places"), CLASHES.values(), ids=CLASHES.keys())
def test_a_name_that_is_taken_is_refused(
    db: RedisDatabase,
    there: Declare,
    declare: Declare,
    attributes: dict[str, Any],
    places: tuple[str, str],
    late: bool,
) -> None:
    """Both places are named, and nothing of the model that brought the clash remains."""
    first, last = (declare, lambda db: model(db, "Person", **attributes))[:: 1 if late else -1]
    there(db)
    first(db)
    before = {each: dict(vars(each)) for each in db.models}
    with pytest.raises(ImplementationError) as refused:
        last(db)
    assert [True, True] == [place in str(refused.value) for place in places]
    assert before == {each: dict(vars(each)) for each in db.models}
    mended = "Person" if attributes and late else "Band"
    assert model(db, mended) in db.models


OF_THE_LIBRARY = [
    *("pk", "delete", "collection", "exists", "get", "hmget", "hdel", "get_or_connect", "use_database"),
    *("database", "namespace", "abstract", "lockable", "collection_manager", "DoesNotExist", "identity"),
    *(
        "_pk",
        "_identity",
        "_fields",
        "_schema",
        "_own_pk",
        "_take_fields",
        "_become_concrete",
        "mro",
        "__init__",
        "__class__",
        "__dict__",
    ),
]
NO_IDENTIFIERS = ["", "2nd", "a b", "a-b", "class", "None", "%(model)s set", "%s"]
NOT_FILLED = ["%(other)s_set", "%(model)", "%", "%d", "%(model)d"]


@pytest.mark.parametrize("name", [*OF_THE_LIBRARY, *NO_IDENTIFIERS, *NOT_FILLED])
def test_a_name_that_cannot_be_is_refused(db: RedisDatabase, name: str) -> None:
    """A name of the library, what is no identifier of Python, what cannot be filled in: nothing is registered."""
    person = model(db, "Person", name=StringField())
    before = dict(vars(person))
    with pytest.raises(ImplementationError, match=r"Group\.owner"):
        model(db, "Group", owner=FKStringField("Person", related_name=name))
    assert [(person,), before] == [db.models, dict(vars(person))]


@pytest.mark.parametrize("name", ["2nd", "%(other)s"])
def test_a_name_that_cannot_be_is_refused_before_its_target_is_known(db: RedisDatabase, name: str) -> None:
    """Where the mistake is, not where the other model is declared."""
    with pytest.raises(ImplementationError, match=r"Group\.owner"):
        model(db, "Group", owner=FKStringField("Person", related_name=name))
    assert () == db.models


# What is refused.


OPTIONS = [
    {"indexable": False},
    {"indexable": 1},
    {"on_delete": "x"},
    {"on_delete": None},
    {"check": 1},
    {"check": None},
    {"related_name": 1},
    {"related_name": b"x"},
    {"unique": 1},
    {"lockable": None},
    {"other": 1},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("field", FIELDS)
def test_options_that_cannot_be_are_refused(field: Any, options: dict[str, Any]) -> None:
    """By an error that names the type of the field, and what was given where it has a value."""
    with pytest.raises(ImplementationError, match=field.__name__):
        field("Person", **options)


def test_every_option_is_told_but_the_one_that_cannot_be_given() -> None:
    """The way out of an unknown option."""
    with pytest.raises(
        ImplementationError,
        match=r"it takes to, related_name, on_delete, check, default, unique, lockable, stored_as, none$",
    ):
        FKStringField("Person", other=1)


@pytest.mark.parametrize("to", [None, 1, "", "people:", str, object(), ["Person"], b"Person"], ids=type)
@pytest.mark.parametrize("field", FIELDS)
def test_what_is_no_model_cannot_be_referred_to(field: Any, to: Any) -> None:
    """By an error that names what may be."""
    with pytest.raises(ImplementationError, match="'namespace:Name' or 'self'"):
        field(to)


def test_models_that_cannot_be_referred_to(db: RedisDatabase, server: Backend) -> None:
    """An abstract one, one without relations, one on another database: nothing is registered."""
    plain, elsewhere = model(db, "Plain", base=RedisModel), model(server.database(), "Elsewhere")
    before = db.models
    for to, reason in [(RelatedModel, "abstract"), (plain, "no RelatedModel"), (elsewhere, "another database")]:
        with pytest.raises(ImplementationError, match=reason):
            model(db, "Group", owner=FKStringField(to))
        assert before == db.models


def test_a_plain_model_has_no_related_fields(db: RedisDatabase) -> None:
    """ "You must use RelatedModel": on another the field would never be connected, so it is refused."""
    with pytest.raises(ImplementationError, match="RelatedModel"):
        model(db, "Group", base=RedisModel, owner=FKStringField("self"))
    assert () == db.models


# Bases.


def test_an_abstract_base_hands_down_its_fields(db: RedisDatabase) -> None:
    """Each model has a relation of its own; the base, and a mixin, have none; ``self`` is the model that inherits."""

    class Mixed:
        parent = FKStringField("self", related_name="children")

    person = model(db, "Person")
    base = model(db, "Base", abstract=True, owner=FKStringField("Person"))
    groups = [type(base)(called, (Mixed, base), {}) for called in ("First", "Second")]
    assert [person, person] == [target(group.owner) for group in groups]
    assert groups == [target(group.parent) for group in groups]
    assert (person, *groups) == db.models
    assert {"first_set", "second_set"} == {name for name in dir(person) if name.endswith("_set")}


def test_an_abstract_base_with_a_fixed_name_serves_one_model(db: RedisDatabase) -> None:
    """The second one clashes, and both are named."""
    model(db, "Person")
    base = model(db, "Base", abstract=True, owner=FKStringField("Person", related_name="owned"))
    first = type(base)("First", (base,), {})
    with pytest.raises(ImplementationError, match=r"Person.owned .* First.owner and of Second.owner"):
        type(base)("Second", (base,), {})
    assert first in db.models
    assert 2 == len(db.models)


def test_a_subclass_of_a_concrete_model_has_relations_of_its_own(db: RedisDatabase) -> None:
    """It does not inherit the collections on the other side, refers from its own fields, and ``self`` is itself."""
    person = model(db, "Person", friend=FKStringField("self", related_name="befriended"))
    group = model(db, "Group", owner=FKStringField(person))
    member, band = model(db, "Member", base=person), model(db, "Band", base=group)
    assert [person, member] == [target(person.friend), target(member.friend)]
    assert [person, person] == [target(group.owner), target(band.owner)]
    assert [True, True, False, False] == [
        hasattr(each, name) for each in (person, member) for name in ("group_set", "band_set")
    ]
    with pytest.raises(AttributeError, match=r"Member has no collection 'group_set': Group.owner refers to Person"):
        member().group_set()
    one, two = person(), member()
    one.friend.set(one)
    two.friend.set(two)
    assert [[one], [two]] == [list(each.befriended().instances()) for each in (one, two)]


def test_a_subclass_may_use_the_names_of_collections(db: RedisDatabase) -> None:
    """What a subclass defines is its own; fields are refused where the base has the name."""
    person = model(db, "Person", name=InstanceHashField())
    model(db, "Group", owner=FKStringField(person))
    member = model(db, "Member", base=person, group_set=lambda self: "mine")
    assert "mine" == member().group_set()
    with pytest.raises(ImplementationError, match="group_set"):
        model(db, "Other", base=person, group_set=SetField())


def test_a_collection_cannot_be_assigned_to(db: RedisDatabase) -> None:
    """It follows from the field of the other model."""
    person = model(db, "Person")
    model(db, "Group", owner=FKStringField(person))
    with pytest.raises(AttributeError, match=r"follows from Group\.owner"):
        person().group_set = []
