"""Fields with a type where more than a round trip is asked: refusals, None, defaults, keys, references, bad data."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, TypedDict
from uuid import UUID, uuid4

import attrs
import pydantic
import pytest

from tests.tools.backends import Backend
from tests.values.families import Color, Points, Size
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    AutoPKField,
    HashField,
    ImplementationError,
    InstanceHashField,
    Json,
    ListField,
    PKField,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    SortedSetField,
    StringField,
    UniquenessError,
    UnreadableValue,
)
from uowredis.contrib import related
from uowredis.contrib.related import FKStringField, RelatedModel


def bikes(on: RedisDatabase) -> Any:
    class Bike(RedisModel):
        database = on
        name = InstanceHashField()
        year = InstanceHashField(type=int, indexable=True)
        price = StringField(type=Decimal, indexable=True)
        speed = InstanceHashField(type=float, indexable=True)
        weight = StringField(type=float)
        born = StringField(type=date)
        seen = InstanceHashField(type=datetime, indexable=True)
        image = StringField(type=bytes)
        note = StringField(type=str)
        color = InstanceHashField(type=Color, default=Color.RED)
        token = InstanceHashField(type=UUID, unique=True)
        parts = HashField(type=int, indexable=True)
        rides = SortedSetField(type=date)

    return Bike


@pytest.fixture
def bike(server: Backend) -> Any:
    return bikes(server.database())()


def test_one_value_has_one_index_entry(server: Backend) -> None:
    """However it is written: 1965.0 and 1965, 1.50 and 1.5, one moment in two time zones."""
    Bike = bikes(server.database())  # noqa: N806
    zone = timezone(timedelta(hours=2))
    bike = Bike(year=1965.0, price=Decimal("1.50"), speed=3, seen=datetime(2026, 1, 1, 12, tzinfo=zone))
    for filters in (
        {"year": 1965},
        {"price": Decimal("1.5")},
        {"speed": 3.0},
        {"seen": datetime(2026, 1, 1, 10, tzinfo=UTC)},
    ):
        assert bike == Bike.get(**filters)
    bike.hmset(year=1965, speed=-0.0)
    indexes = [key for key in bike.database.connection.keys("*") if key.startswith((":bike:year:", ":bike:speed:"))]
    assert [":bike:speed:0", ":bike:year:1965"] == sorted(indexes)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("year", "1965"),
        ("year", True),
        ("year", 1965.5),
        ("year", date(2026, 1, 1)),
        ("price", 1.5),
        ("price", Decimal("NaN")),
        ("speed", float("nan")),
        ("speed", "1"),
        ("speed", 2**53 + 1),
        ("seen", date(2026, 1, 1)),
        ("born", datetime(2026, 1, 1)),
        ("image", "text"),
        ("note", b"bytes"),
        ("note", "\udc80"),
        ("color", "red"),
        ("token", str(UUID(int=7))),
    ],
)
def test_a_value_of_another_type_is_refused(server: Backend, name: str, value: Any) -> None:
    """By name of the field, in constructor, command, filter; nothing is written."""
    Bike = bikes(server.database())  # noqa: N806
    bike = Bike(name="x")
    before = sorted(bike.database.connection.keys("*"))
    calls = [lambda: Bike(**{name: value}), lambda: getattr(bike, name).set(value)]
    if getattr(Bike, name).indexable:
        calls.append(lambda: Bike.exists(**{name: value}))
    for call in calls:
        with pytest.raises(ArgumentError, match=rf"Bike\.{name} holds \w+, and cannot be "):
            call()
    assert before == sorted(bike.database.connection.keys("*"))


def test_none_is_no_value_to_a_constructor_and_refused_by_a_command(server: Backend) -> None:
    """It is left out, and no default comes in its place; the way out of the command clears it."""
    Bike = bikes(server.database())  # noqa: N806
    bike = Bike(name="x", year=None, color=None, parts=None, rides=None, born=None)
    assert {"name": "x"} == bike.hgetall()
    bike.year.hset(1)
    for call in (lambda: bike.year.hset(None), lambda: bike.born.set(None), lambda: bike.hmset(year=None)):
        with pytest.raises(ArgumentTypeError, match=r"cannot be None.*Way out: .*hdel\(\)"):
            call()
    assert (bike.year.hdel(), bike.year.hget(), Bike.exists(year=1)) == (1, None, False)


def test_what_makes_no_sense_of_a_type_is_refused(bike: Any) -> None:
    """Before anything is sent, whatever is stored; the way out is named."""
    before = sorted(bike.database.connection.keys("*"))
    for call in (
        bike.price.incr,
        bike.price.decr,
        bike.born.incrbyfloat,
        bike.color.hincrby,
        bike.year.hincrbyfloat,
        lambda: bike.parts.hincrbyfloat("a"),
        lambda: bike.price.append(Decimal(1)),
        lambda: bike.born.setrange(0, date.min),
        lambda: bike.born.getrange(0, 1),
        lambda: bike.note.setbit(1, 1),
        lambda: bike.note.getbit(1),
        bike.note.bitcount,
    ):
        with pytest.raises(ImplementationError, match=r"can make no sense. Way out: read the value by \w+\(\)"):
            call()
    assert before == sorted(bike.database.connection.keys("*"))


def test_native_commands_keep_their_meaning(bike: Any) -> None:
    """Sums are values of the type, and found as such; text and bytes are looked into."""
    Bike = type(bike)  # noqa: N806
    assert (bike.year.hincrby(3), bike.year.hget(), Bike.exists(year=3)) == (3, 3, True)
    assert (bike.parts.hincrby("a", 2), bike.parts.hgetall(), Bike.exists(parts__a=2)) == (2, {"a": 2}, True)
    assert (bike.price.incrbyfloat(Decimal("0.1")), bike.price.incrbyfloat("0.2")) == (Decimal("0.1"), Decimal("0.3"))
    assert type(bike.price.incrbyfloat(1)) is Decimal
    assert Bike.exists(price=Decimal("1.30"))
    assert (bike.weight.incrbyfloat(1.5), bike.weight.incrbyfloat(1.5), bike.weight.get()) == (1.5, 3.0, 3.0)
    bike.speed.hset(1e22)
    assert (bike.speed.hincrbyfloat(0.0), Bike.exists(speed=1e22)) == (1e22, True)
    assert (bike.note.append("ä"), bike.note.get()) == (2, "ä")
    bike.image.set(b"\xff\x00")
    assert (bike.image.getrange(0, 0), bike.image.getbit(0), bike.image.setrange(1, b"\xfe")) == (b"\xff", 1, 2)
    assert (bike.image.append(b"\x80"), bike.image.get()) == (3, b"\xff\xfe\x80")


def test_a_sum_in_a_session_is_found_before_the_commit(bike: Any) -> None:
    """It is spelled as the value is, so that filters agree before and after."""
    Bike = type(bike)  # noqa: N806
    bike.speed.hset(1e21)
    with Session(bike.database) as session:
        bike.speed.hincrbyfloat(9e21)
        bike.price.incrbyfloat(Decimal("1.10"))
        assert (Bike.exists(speed=1e22), Bike.exists(price=Decimal("1.1"))) == (True, True)
        assert (bike.speed.hget(), bike.price.get()) == (1e22, Decimal("1.1"))
        session.commit()
    assert (Bike.exists(speed=1e22), Bike.exists(price=Decimal("1.1"))) == (True, True)


def test_what_is_stored_and_cannot_be_read_is_named(bike: Any) -> None:
    """With model, pk, field and text; a session goes on, and the value is written over."""
    on = bike.database
    bike.name.hset("x")
    on.connection.hset(bike.year.key, "year", "long ago")
    on.connection.set(bike.born.key, "2026-13-01")
    with Session(on) as session:
        bike.name.hset("y")
        for read, field, stored in (
            (bike.year.hget, "year", "long ago"),
            (bike.hgetall, "year", "long ago"),
            (lambda: bike.hmget("name", "year"), "year", "long ago"),
            (bike.born.get, "born", "2026-13-01"),
            (lambda: list(type(bike).collection().values("pk", "born")), "born", "2026-13-01"),
        ):
            with pytest.raises(UnreadableValue, match=rf"Bike <1>\.{field} holds .*'{stored}' is stored") as caught:
                read()
            error = caught.value
            assert ("Bike", "1", field, stored) == (error.model, error.pk, error.field, error.text)
        with pytest.raises(UnreadableValue, match=r"A Bike\.born holds date") as caught:
            list(type(bike).collection().values("born"))
        assert caught.value.pk is None
        session.commit()
    assert (bike.name.hget(), bike.year.hset(7), bike.year.hget()) == ("y", 0, 7)
    bike.born.set(date.min)
    assert date.min == bike.born.get()


def test_one_of_many_that_cannot_be_read(server: Backend) -> None:
    """It is named, also where all are read at once."""

    class Thing(RedisModel):
        database = server.database()
        rows = ListField(type=int)
        marks = SetField(type=int)

    thing = Thing(rows=[1, 2], marks=[3])
    client = server.client()
    client.rpush(":thing:1:rows", "two", "4")
    client.sadd(":thing:1:marks", "x")
    for read, field, stored in (
        (lambda: thing.rows.lrange(0, -1), "rows", "two"),
        (thing.marks.smembers, "marks", "x"),
        (lambda: list(Thing.collection().values("rows")), "rows", "two"),
    ):
        with pytest.raises(UnreadableValue, match=rf"Thing <1>\.{field} holds int, and '{stored}' is stored") as caught:
            read()
        assert ("1", field, stored) == (caught.value.pk, caught.value.field, caught.value.text)


def test_a_reply_that_cannot_be_read_leaves_the_commit_applied(bike: Any) -> None:
    """It is raised last, with a note."""
    bike.database.connection.set(bikes_key := f":bike:{bike.pk.get()}:born", "x")
    with pytest.raises(UnreadableValue, match=r"Bike <1>\.born"), bike.database.begin():
        bike.born.getset(date.min)
        bike.name.hset("y")
    assert ("y", "0001-01-01") == (bike.name.hget(), bike.database.connection.get(bikes_key))


def test_a_default_is_called_for_each_new_object(server: Backend) -> None:
    """Its value is spelled then; without a type, too."""
    numbers = itertools.count(1)

    class Thing(RedisModel):
        database = server.database()
        token = InstanceHashField(type=UUID, default=uuid4, unique=True)
        made = InstanceHashField(type=datetime, default=datetime.now)
        number = StringField(default=lambda: next(numbers))

    first, second = Thing(), Thing()
    assert first.token.hget() != second.token.hget()
    assert isinstance(first.made.hget(), datetime)
    assert ("1", "2") == (first.number.get(), second.number.get())
    assert first == Thing.get(token=first.token.hget())
    assert 9 == int(Thing(number=9).number.get())
    assert "3" == Thing().number.get()


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: StringField(type=complex), r"complex is no type that fields know.*Way out: Json\(complex\)"),
        (lambda: StringField(type=Points), "Way out: an instance of it"),
        (lambda: StringField(type=int, default="1"), "it must be int, not str"),
        (lambda: SetField(type=Json), "Way out: a ListField"),
        (lambda: SortedSetField(type=Json), "Way out: a ListField"),
        (lambda: AutoPKField(type=int), "takes no options"),
        (lambda: related.FKStringField("X", type=int), "Way out: leave type out"),
    ],
)
def test_a_type_that_cannot_be_is_refused_when_it_is_declared(declare: Any, message: str) -> None:
    """With the way out."""
    with pytest.raises(ImplementationError, match=message):
        declare()


@pytest.mark.parametrize(
    ("kind", "keys"), [(UUID, [UUID(int=1), UUID(int=2)]), (int, [1, -20]), (date, [date.min, date.max])]
)
def test_a_primary_key_has_a_type(server: Backend, kind: Any, keys: list[Any]) -> None:
    """In constructors, replies, filters, collections, and in all that refers to it."""
    on = server.database()

    class Person(related.RelatedModel):
        database = on
        id = PKField(type=kind)
        name = InstanceHashField(indexable=True)

    class Group(related.RelatedModel):
        database = on
        owner = related.FKInstanceHashField(Person)
        deputy = related.FKStringField("Person", related_name="deputy_of")
        members = related.M2MSetField("Person", related_name="groups")

    one, two = keys
    with Session(on) as session:
        ann, bob = Person(id=one, name="a"), Person(id=two, name="a")
        group = Group(owner=ann, deputy=two, members=[ann, two])
        assert (one, two, {one, two}) == (group.owner.hget(), group.deputy.get(), group.members.smembers())
        assert {one, two} == set(Person.collection(name="a"))
        session.commit()
        # A foreign key given as a value is read first.
        assert group.members.sismember(group.owner)
    assert (one, ann, ann) == (ann.pk.get(), Person(one), Person.get(pk=one))
    assert (one, two, {one, two}) == (group.owner.hget(), group.deputy.get(), group.members.smembers())
    assert (ann, bob) == (group.owner.instance(), group.deputy.instance())
    assert group == Group.get(owner=one) == Group.get(owner=ann) == Group.get(members=two)
    assert {one, two} == set(group.members()) == set(Person.collection().iter()) == set(Person.collection())
    assert {one: "a", two: "a"} == dict(Person.collection().values_list("id", "name"))
    assert one in Person.collection(name="a")
    assert "1" not in Person.collection()
    assert [one] == list(Person.collection().intersect([ann])) == list(Person.collection().intersect([one]))
    assert [one] == list(Person.collection(id=one)) == list(Person.collection(id=group.owner))
    assert {one: 1} == dict.fromkeys(Person.collection(name="a").intersect([one]).store(), 1)
    other = Group(owner=group.owner)
    assert (one, {group, other}) == (other.owner.hget(), set(ann.group_set().instances()))
    with pytest.raises(ArgumentTypeError, match=r"primary key of Person holds"):
        Person("x")
    with pytest.raises(UniquenessError):
        Person(id=one)
    ann.delete()
    assert (None, {two}) == (group.owner.hget(), group.members.smembers())


class Address(TypedDict):
    street: str
    since: date


@dataclasses.dataclass
class Parcel:
    weight: Decimal
    to: list[str]


class Owner(pydantic.BaseModel):
    name: str
    born: date | None = None


class BikeOut(pydantic.BaseModel):
    year: int | None = None
    price: Decimal
    seen: datetime
    color: Color = Color.BLUE
    token: UUID
    born: date | None = None


def test_what_a_pydantic_model_dumps_can_be_given(server: Backend) -> None:
    """And what the object holds is what the model takes."""
    Bike = bikes(server.database())  # noqa: N806
    model = BikeOut(price=Decimal("9.50"), seen=datetime(2026, 1, 1, tzinfo=UTC), token=uuid4())
    bike = Bike(**model.model_dump())
    assert model == BikeOut(**bike.hgetall(), price=bike.price.get(), born=bike.born.get())


@pytest.mark.parametrize(
    ("of", "value", "stored"),
    [
        (Address, {"street": "x", "since": date(2026, 1, 2)}, '{"since":"2026-01-02","street":"x"}'),
        (Parcel, Parcel(Decimal("1.5"), ["a"]), '{"to":["a"],"weight":"1.5"}'),
        (list[Parcel], [Parcel(Decimal(2), [])], '[{"to":[],"weight":"2"}]'),
        (Owner, Owner(name="ä"), '{"born":null,"name":"ä"}'),
        (list[Owner], [Owner(name="b", born=date.min)], '[{"born":"0001-01-01","name":"b"}]'),
    ],
)
def test_json_of_a_type(server: Backend, of: Any, value: Any, stored: str) -> None:
    """The library that is made for it makes the JSON, and the value of it."""

    class Thing(RedisModel):
        database = server.database()
        text = StringField(type=Json(of), indexable=True)
        items = ListField(type=Json(of))

    thing = Thing(text=value, items=[value])
    assert (value, [value], stored) == (
        thing.text.get(),
        thing.items.lrange(0, -1),
        thing.database.connection.get(thing.text.key),
    )
    assert thing == Thing.get(text=value)
    thing.database.connection.set(thing.text.key, '{"no": 1}')
    with pytest.raises(UnreadableValue):
        thing.text.get()


def test_plans_show_what_is_stored(bike: Any) -> None:
    """And errors of uniqueness the value, with what is stored in the note."""
    token = UUID(int=7)
    with Session(bike.database) as session:
        bike.token.hset(token)
        bike.parts.hset("size", int(Size.LARGE))
        assert ("HSET", bike.token.key, "token", str(token)) == session.plan().steps[0].call
        session.commit()
    with pytest.raises(UniquenessError, match=f"Key :bike:token:{token} already exists") as caught:
        type(bike)(token=token)
    assert token == caught.value.value
    assert f"claims {token!r} (stored as '{token}')" in caught.value.__notes__[0]


class Cat(pydantic.BaseModel):
    """A pet."""

    lives: int


class Kitten(Cat):
    """One of another class."""


@attrs.frozen
class Point:
    """A place."""

    x: int


@attrs.frozen
class Pixel(Point):
    """A place of another class."""


@pytest.mark.parametrize(
    ("of", "right", "wrong"),
    [
        (Cat, Cat(lives=9), [Kitten(lives=9), {"lives": 9}]),
        (list[Cat], [Cat(lives=9)], [[1], [{"lives": 9}]]),
        (Point, Point(1), [Pixel(1), {"x": 1}]),
    ],
)
def test_json_of_a_type_takes_what_comes_back(server: Backend, of: Any, right: Any, wrong: list[Any]) -> None:
    """What would come back as something else is refused, and nothing is written."""

    class Owner(RedisModel):
        database = server.database()
        pet = StringField(type=Json(of))

    owner = Owner(pet=right)
    for value in wrong:
        with pytest.raises(ArgumentError, match=r"Owner\.pet"):
            owner.pet.set(value)
    assert right == owner.pet.get()


def test_a_default_of_a_reference_to_a_typed_primary_key(server: Backend) -> None:
    """It is a value of that type; which one it is may be declared later."""

    class Bike(RelatedModel):
        database = server.database()
        owner = FKStringField("Rider", default=UUID(int=1))

    class Rider(RelatedModel):
        database = Bike.database
        id = PKField(type=UUID)

    assert UUID(int=1) == Bike().owner.get()
