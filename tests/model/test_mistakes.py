"""What a newcomer does by mistake is answered: what it is here, and the way out."""

import datetime
import decimal
import enum
import pickle
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.models import every_kind, groups
from uowredis import ArgumentTypeError, DoesNotExist, RedisDatabase, RedisModel, Session, SessionError, StringField


@pytest.fixture(scope="module")
def thing() -> Any:
    with RedisDatabase.embedded() as database:
        many = {"tags": ["a"], "rows": ["x"], "ranks": {"r": 1}, "headers": {"h": "1"}}
        yield every_kind(database).Thing(title="t", name="n", **many)


HOW = {
    "title": ".get()",
    "name": ".hget()",
    "headers": ".hgetall()",
    "tags": ".smembers()",
    "rows": ".lrange(0, -1)",
    "ranks": ".zrange(0, -1)",
    "pk": ".get()",
}
AS_VALUE: dict[str, Callable[[Any], object]] = {
    "== text": lambda field: field == "t",
    "!= text": lambda field: field != "t",
    "== number": lambda field: field == 1,
    "== None": lambda field: field == None,  # noqa: E711  # the mistake itself
    "== date": lambda field: field == datetime.date.min,
    "== Decimal": lambda field: decimal.Decimal(1) == field,
    "== UUID": lambda field: field == uuid.UUID(int=5),
    "== list": lambda field: field == ["t"],
    "== set": lambda field: {"t"} == field,
    "== object": lambda field: field == field._owner,
    "object ==": lambda field: field._owner == field,
    "in a list": lambda field: field in ["t"],
    "if": lambda field: bool(field),
    "not": lambda field: not field,
    "<": lambda field: field < 1,
    "+ 1": lambda field: field + 1,
    "1 +": lambda field: 1 + field,
    "int": lambda field: int(field),
    "float": lambda field: float(field),
    "len": lambda field: len(field),
    "in": lambda field: "a" in field,
    "list": lambda field: list(field),
    "[0]": lambda field: field[0],
    "()": lambda field: field(),
}


@pytest.mark.parametrize("field", HOW)
@pytest.mark.parametrize("mistake", AS_VALUE)
def test_a_field_taken_for_its_value(thing: Any, field: str, mistake: str) -> None:
    """It says nothing of the value; what gives it is named, and gives it."""
    bound = getattr(thing, field)
    with pytest.raises(ArgumentTypeError) as caught:
        AS_VALUE[mistake](bound)
    assert f"{bound!r} is a field, not its value. Way out: {HOW[field]}" == str(caught.value)
    assert eval(f"bound{HOW[field]}")


def test_what_a_field_can_be_asked(thing: Any) -> None:
    """It is itself, can be a key of a dict, printed, and has no attribute that is not there."""
    one = thing.title
    assert (True, False) == (one == thing.title, one == thing.code)
    assert {one: 1}[one] == 1
    assert "<Thing <1>.title>" == str(one) == f"{one}"
    with pytest.raises(AttributeError, match=r"<Thing <1>\.title> has no 'upper': it is a field. Way out: \.get\(\)"):
        one.upper()
    assert not hasattr(one, "__deepcopy__")


def test_relations_taken_for_objects() -> None:
    """The object is what instance() gives, the members are a collection."""
    with RedisDatabase.embedded() as database:
        models = groups(database)
        person = models.person(name="ann")
        group = models.group(name="g", entry=person, members=[person])
        with pytest.raises(AttributeError, match=r"has no 'name'.*Way out: \.instance\(\)"):
            _ = group.entry.name
        with pytest.raises(ArgumentTypeError, match=r"Way out: \.instance\(\)"):
            group.entry()
        with pytest.raises(ArgumentTypeError, match=r"Way out: \.collection\(\)"):
            list(group.members)
        with pytest.raises(AttributeError, match=r"has no 'add'.*Way out: \.collection\(\)"):
            group.members.add(person)
        assert ([person], person) == (list(group.members.collection().instances()), group.entry.instance())


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "shown", "hint"),
    [
        (True, "True", "int(...)"),
        (None, "None", "delete()"),
        (datetime.datetime(2026, 1, 2), "datetime.datetime(2026, 1, 2, 0, 0)", ".isoformat()"),
        (datetime.date(2026, 1, 2), "datetime.date(2026, 1, 2)", ".isoformat()"),
        (datetime.timedelta(1), "datetime.timedelta(days=1)", ".total_seconds()"),
        (decimal.Decimal("1.5"), "Decimal('1.5')", "str(...)"),
        (uuid.UUID(int=5), "UUID('00000000-0000-0000-0000-000000000005')", "str(...)"),
        (Colour.RED, "<Colour.RED: 'red'>", ".value"),
        ({"a": 1}, "{'a': 1}", "json.dumps(...)"),
        (Colour, "an object", "str(...)"),
    ],
)
def test_a_value_that_has_no_spelling(thing: Any, value: Any, shown: str, hint: str) -> None:
    """The value is shown, cut, and what to give in its place."""
    with pytest.raises(ArgumentTypeError) as caught:
        thing.title.set(value)
    message, _, way_out = str(caught.value).partition("Way out: ")
    assert message.startswith(f"Thing.title cannot be {shown} (")
    assert hint in way_out
    assert "t" == thing.title.get()


def test_a_long_value_that_has_no_spelling_is_cut(thing: Any) -> None:
    """Whatever it is."""
    with pytest.raises(ArgumentTypeError) as caught:
        thing.title.set(["x" * 1_000_000])
    assert 400 > len(str(caught.value))


def test_assigning_to_what_is_no_field(thing: Any) -> None:
    """Nothing would be stored; attributes of one's own are declared, or begin with an underscore."""
    with pytest.raises(AttributeError, match=r"Thing has no field 'titel'.*title, code, count") as caught:
        thing.titel = "x"
    assert "nothing would be stored" in str(caught.value)
    assert not hasattr(thing, "titel")
    with RedisDatabase.embedded() as db:

        class Bike(RedisModel):
            database = db
            name = StringField()
            wheels: int
            cache = None

        bike = Bike(name="b")
        bike.wheels, bike.cache, bike._own = 2, {}, 3
        assert (2, {}, 3) == (bike.wheels, bike.cache, bike._own)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("save", "commit"),
        ("refresh", "reads anew"),
        ("expire", r"expire\(seconds"),
        ("ttl", "ttl"),
        ("id", r"pk\.get"),
        ("model_dump", "to_dict"),
    ],
)
def test_what_an_instance_calls_otherwise(thing: Any, name: str, hint: str) -> None:
    """Names of other mappers lead to those of this one."""
    with pytest.raises(AttributeError, match=rf"Thing has no attribute '{name}'. Way out: .*{hint}"):
        getattr(thing, name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("objects", "collection"),
        ("create", r"Model\(field=value\)"),
        ("get_or_create", "get_or_connect"),
        ("all_pks", r"collection\(\)"),
        ("first", r"sort\(\)\[0\]"),
        ("select", "collection"),
        ("bulk_create", "create_many"),
    ],
)
def test_what_a_model_calls_otherwise(thing: Any, name: str, hint: str) -> None:
    """The same for classes; what nobody calls so has no hint."""
    with pytest.raises(AttributeError, match=rf"Thing has no attribute '{name}'. Way out: .*{hint}"):
        getattr(type(thing), name)
    with pytest.raises(AttributeError, match=r"Thing has no attribute 'nmae'$"):
        _ = type(thing).nmae


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("add", "inside the block"),
        ("flush", "commit"),
        ("query", "collection"),
        ("delete", r"bike\.delete\(\)"),
        ("merge", r"Model\(pk\)"),
        ("expire", "reads anew"),
        ("dirty", "pending"),
    ],
)
def test_what_a_session_calls_otherwise(thing: Any, name: str, hint: str) -> None:
    """The same for sessions."""
    with Session(thing.database) as session, pytest.raises(AttributeError, match=rf"'{name}'. Way out: .*{hint}"):
        getattr(session, name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("expire", r"connection\.expire\(\.\.\.\)"),
        ("hset", r"keeps indexes; or connection\.hset"),
        ("get", r"Model\.get"),
        ("query", r"Model\.collection"),
        ("commit", r"db\.begin\(\)"),
    ],
)
def test_what_a_database_calls_otherwise(thing: Any, name: str, hint: str) -> None:
    """Commands of Redis lead to fields, and to the client that has them; what nobody calls so has no hint."""
    with pytest.raises(AttributeError, match=rf"A RedisDatabase has no attribute '{name}'. Way out: .*{hint}"):
        getattr(thing.database, name)
    with pytest.raises(AttributeError, match=r"A RedisDatabase has no attribute 'nmae'$"):
        _ = thing.database.nmae


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("all", r"list\(collection\)"),
        ("order_by", r"sort\(by="),
        ("limit", "slice"),
    ],
)
def test_what_a_collection_calls_otherwise(thing: Any, name: str, hint: str) -> None:
    """The same for queries; nothing is asked of the server for it."""
    collection = type(thing).collection()
    entered = thing.database._entered
    with pytest.raises(AttributeError, match=rf"A collection has no attribute '{name}'. Way out: .*{hint}"):
        getattr(collection, name)
    assert thing.database._entered == entered
    with pytest.raises(AttributeError, match=r"A collection has no attribute 'nmae'$"):
        _ = collection.nmae


def test_objects_of_another_model_that_are_not_there() -> None:
    """Each model has an error of its own, below those of the models it is derived from."""
    with RedisDatabase.embedded() as db:

        class Content(RedisModel):
            database = db
            abstract = True

        class Author(Content):
            name = StringField(indexable=True)

        class Book(Content):
            name = StringField(indexable=True)

        author = Author(name="ann")
        author.delete()
        for ask in (lambda: Author(5), lambda: Author.get(name="x"), author.name.get, lambda: author.name.set("x")):
            with pytest.raises(Author.DoesNotExist) as caught:
                ask()
            assert not isinstance(caught.value, Book.DoesNotExist)
            assert isinstance(caught.value, Content.DoesNotExist)
            assert isinstance(caught.value, DoesNotExist)
        assert ".Author.DoesNotExist'" in repr(Author.DoesNotExist)
        found = pickle.loads(pickle.dumps(caught.value))
        assert (DoesNotExist, str(caught.value)) == (type(found), str(found))  # nobody finds a class in a function


def test_a_property_that_fails(thing: Any) -> None:
    """Its own AttributeError is what is raised."""
    with RedisDatabase.embedded() as db:

        class Bike(RedisModel):
            database = db
            name = StringField()

            @property
            def broken(self) -> str:
                return self.name.nothing

        with pytest.raises(AttributeError, match=r"has no 'nothing': it is a field"):
            _ = Bike(name="b").broken


def test_a_second_session(thing: Any) -> None:
    """What is named works: a part of the one that is open."""
    with Session(thing.database) as session:
        way_out = r"Way out: use it, it is db\.session; take part in it, db\.begin\(join=True\)"
        with pytest.raises(SessionError, match=way_out), Session(thing.database):
            pass
        with thing.database.begin(join=True):
            thing.count.set(1)
        assert thing.database.session is session
        session.commit()
    assert "1" == thing.count.get()
