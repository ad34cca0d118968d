"""Indexes of several fields: what they answer, what they cost, what is unique together, and what is told of them."""

from datetime import date
from typing import Any

import pytest

from tests.tools.backends import Backend, Real
from uowredis import (
    ArgumentError,
    HashField,
    ImplementationError,
    IndexNotReady,
    InstanceHashField,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    StringField,
    UniquenessError,
    check,
    rebuild,
    repair,
)
from uowredis.contrib.database import PipelineDatabase
from uowredis.contrib.indexes import EqualIndexWith, MultiIndexes, ScoredEqualIndex
from uowredis.contrib.related import CASCADE, FKInstanceHashField, RelatedModel
from uowredis.indexes import EqualIndex, NumberRangeIndex


def with_(*others: str, **options: Any) -> Any:
    return EqualIndexWith.configure(other_fields=list(others), **options)


def scored(by: str, **options: Any) -> Any:
    return ScoredEqualIndex.configure(score_field=by, **options)


def booked(on: RedisDatabase) -> Any:
    """Declare rooms that are booked for a day once."""

    class Room(RelatedModel):
        database = on
        name = InstanceHashField()

    class Booking(RelatedModel):
        database = on
        room = FKInstanceHashField(Room)
        day = InstanceHashField(type=date, indexable=True, indexes=[with_("room", "hour", unique=True)])
        hour = StringField(type=int)

    return Room, Booking


def test_taken_values_are_told_as_they_are(server: Backend) -> None:
    """Also where they hold what separates values in keys."""

    class Seat(RedisModel):
        database = server.database()
        row = InstanceHashField(indexable=True, indexes=[with_("number", unique=True)])
        number = InstanceHashField()

    for row, number in (("a:b", "50%"), ("a", "b:1"), ("%3A", ":")):
        Seat(row=row, number=number)
        with pytest.raises(UniquenessError) as caught:
            Seat(row=row, number=number)
        assert (row, number) == caught.value.value
        assert f"row={row!r}, number={number!r}" in caught.value.__notes__[0]


def test_unique_together(server: Backend) -> None:
    """Others may share all values but one; the error names fields and values as they are; what is left is free."""
    rooms, bookings = booked(server.database())
    assert [(), 1, (EqualIndex,)] == [
        bookings.fields["hour"].indexes,
        len(bookings.fields["day"].indexes),
        bookings.fields["room"].indexes,
    ]
    small, large = rooms(name="small"), rooms(name="large")
    first = bookings(room=small, day=date(2015, 12, 16), hour=10)
    second = bookings(room=small, day=date(2015, 12, 16), hour=11)
    bookings(room=large, day=date(2015, 12, 16), hour=10)
    bookings(day=date(2015, 12, 16), hour=10), bookings(day=date(2015, 12, 16), hour=10)
    for write in (
        lambda: bookings(room=small, day=date(2015, 12, 16), hour=10),
        lambda: second.hour.set(10),
        lambda: second.hour.incr(-1),
    ):
        with pytest.raises(UniquenessError, match="already exists") as raised:
            write()
        assert ("day, room, hour", (date(2015, 12, 16), "1", 10)) == (raised.value.field, raised.value.value)
        assert raised.value.pk == "1"
        (note,) = raised.value.__notes__
        assert "Booking.day and Booking.room and Booking.hour are unique together" in note
        assert "day=datetime.date(2015, 12, 16), room='1', hour=10" in note
    with bookings.database.begin():
        first.hour.set(11)
        second.hour.set(10)
    assert [second.pk.get()] == bookings.collection(day=date(2015, 12, 16), hour=10, room=small)
    second.hour.delete()
    third = bookings(room=small, day=date(2015, 12, 16), hour=10)
    third.delete()
    assert bookings.get_or_connect(day=date(2015, 12, 16), hour=10, room=small)[1]
    assert not bookings.get_or_connect(day=date(2015, 12, 16), hour=10, room=small)[1]
    small.delete()
    assert [] == bookings.collection(day=date(2015, 12, 16), hour=11, room="1")
    assert [] == list(check(rooms, bookings))


def test_two_of_one_session(embedded: Backend) -> None:
    """They cannot take the same values; a new room takes part before it has a primary key."""
    rooms, bookings = booked(embedded.database())
    with Session(bookings.database) as s:
        room = rooms(name="new")
        bookings(room=room, day=date(2015, 1, 1), hour=1)
        bookings(room=room, day=date(2015, 1, 1), hour=1)
        with pytest.raises(UniquenessError, match="of the same session"):
            s.commit()
        s.rollback()
    with Session(bookings.database) as s:
        room = rooms(name="new")
        bookings(room=room, day=date(2015, 1, 1), hour=1)
        bookings(room=room, day=date(2015, 1, 1), hour=2)
        assert 1 == len(bookings.collection(room=room, day=date(2015, 1, 1), hour=2))
        s.commit()
    assert 2 == len(bookings.collection(room=room, day=date(2015, 1, 1), hour__in=[1, 2, 3]))


def test_others_meet_at_the_key(server: Backend) -> None:
    """Who claims the same values between the look and the commit makes it a conflict, planned again and refused."""
    _, mine = booked(server.database())
    _, theirs = booked(server.database())
    booking = mine(day=date(2015, 1, 1), hour=1, room="9")
    with Session(mine.database) as s:
        booking.hour.set(2)
        plan = s.plan()
        theirs(day=date(2015, 1, 1), hour=2, room="9")
        with pytest.raises(UniquenessError):
            s.commit()
        assert ":booking:day:equal-with:2015-01-01:9:2" in plan.watched
        s.rollback()


def test_who_stands_in_the_way_of_a_claim(server: Backend) -> None:
    """Is asked by all fields of the index, under watch; an entry that says what they do not leaves."""
    _, bookings = booked(server.database())
    first = bookings(day=date(2015, 1, 1), hour=1, room="9")
    key = ":booking:day:equal-with:2015-01-01:9:2"
    server.client().sadd(key, "1", "77")
    second = bookings(day=date(2015, 1, 1), room="9")
    with Session(bookings.database) as s:
        second.hour.set(2)
        plan = s.plan()
        assert {key, ":booking:1:hash", ":booking:1:hour"} <= {*plan.watched}
        s.commit(plan)
    assert {b"2"} == server.client().smembers(key)
    with pytest.raises(UniquenessError):
        first.hour.set(2)


def test_filters_together(server: Backend) -> None:
    """All fields in one call, in any order, by values, several, fields and instances; else each by its own index."""
    on = server.database()

    class Person(RelatedModel):
        database = on
        first = InstanceHashField(indexable=True, indexes=[EqualIndex, with_("last", "city")])
        last = InstanceHashField(indexable=True)
        city = StringField()
        born = InstanceHashField(type=int, indexable="range")
        tags = SetField(indexable=True, indexes=[with_("sizes", prefix="low", transform=str.lower)])
        sizes = HashField()

    ann = Person(first="Ann", last="Lee", city="Rome", born=1960, tags=["A", "b"], sizes={"w": "1"})
    Person(first="Ann", last="Lee", city="Bern", born=1970)
    Person(first="Ann", last="Ray")
    found = Person.collection(city__in=["Rome", "Oslo"], last=ann.last, first__eq="Ann")
    assert ["1"] == found
    assert "SMEMBERS :person:first:equal-with:Ann:Lee:Rome" in str(
        Person.collection(last="Lee", city="Rome", first="Ann").explain()
    )
    assert {"1", "2", "3"} == Person.collection(first="Ann")
    assert {"1", "2"} == Person.collection(first="Ann", last="Lee")
    assert ["2"] == Person.collection(first="Ann", last="Lee", city__in=["Bern", "Rome"], born__gt=1960)
    assert ["2"] == Person.collection(last="Lee").exclude(first="Ann", last="Lee", city="Rome")
    assert (
        ["1"] == Person.collection(tags__low="a", sizes__w=1) == Person.collection(tags__low__in=["b"], sizes__w__eq=1)
    )
    assert [] == Person.collection(first__in=[], last="Lee", city="Rome")
    ann.sizes.hset("w", 2)
    ann.tags.srem("A")
    assert [] == Person.collection(tags__low="a", sizes__w=2)
    assert ["1"] == Person.collection(tags__low="b", sizes__w=2)
    with Session(on) as s:
        ann.tags.sadd("C")
        ann.sizes.hset("w", 3)
        ann.city.set("Oslo")
        assert (
            []
            == Person.collection(tags__low="b", sizes__w=2)
            == Person.collection(first="Ann", last="Lee", city="Rome")
        )
        assert {"1", "2"} == Person.collection(last="Lee").exclude(first="Ann", last="Lee", city="Rome")
        s.commit()
    assert [] == Person.collection(tags__low="b", sizes__w=2)
    assert ["1"] == Person.collection(tags__low="b", sizes__w=3) == Person.collection(tags__low="c", sizes__w=3)
    for alone in ({"city": "Rome"}, {"city": "Rome", "last": "Lee"}, {"tags__low": "a"}):
        with pytest.raises(ImplementationError, match="alone: its index is one of several fields"):
            Person.collection(**alone)
    with pytest.raises(ImplementationError, match="takes no expiry"):
        ann.city.set("Rome", ex=5)
    assert [] == list(check(Person))


def test_what_separates_values_does_not_mix_them_up(server: Backend) -> None:
    """Values with a colon before the last one have keys of another form; redis-limpyd has one key for both."""
    on = server.database()

    class Note(RedisModel):
        database = on
        a = InstanceHashField(indexable=True, indexes=[with_("b", unique=True)])
        b = InstanceHashField()

    pairs = [("x:1", "y"), ("x", "1:y"), ("x%3A1", "y"), ("x:1:y", ""), ("", "x:1:y")]
    for a, b in pairs:
        Note(a=a, b=b)
    for number, (a, b) in enumerate(pairs, 1):
        assert [str(number)] == Note.collection(a=a, b=b)
    assert {b":note:a:equal-with:x:1:y", b":note:a:equal-with-quoted:x%3A1:y"} < server.dump().keys()
    server.client().rename(":note:a:equal-with-quoted:x%3A1:y", ":note:a:equal-with-quoted:x%3A9:y")
    assert ["missing entry", "stale entry"] == sorted(each.fault for each in check(Note))
    list(repair(Note))
    assert [] == list(check(Note))
    assert ["1"] == Note.collection(a="x:1", b="y")


def test_in_the_order_of_another_field(server: Backend) -> None:
    """Numbers, equal ones by primary key; who has none is not found; another sort comes first; over pending writes."""
    on = server.database()

    class Task(RedisModel):
        database = on
        state = InstanceHashField(indexable=True, indexes=[scored("rank")])
        rank = StringField()
        name = InstanceHashField(indexable=True)
        code = InstanceHashField(unique=True, indexes=[scored("rank")])

    for number, rank in enumerate([5, "-1.5", 5, None, 10, 2], 1):
        Task(state="open", name=f"n{number % 2}", code=f"c{number}", **({} if rank is None else {"rank": rank}))
    assert ["2", "6", "1", "3", "5"] == list(Task.collection(state="open"))
    assert ["2", "6"] == Task.collection(state="open")[:2]
    assert "2" == Task.collection(state="open").first()
    assert 5 == len(Task.collection(state="open"))
    assert ["1", "3", "5"] == list(Task.collection(state="open", name="n1"))
    assert ["6", "5", "3", "2", "1"] == list(Task.collection(state__in=["open", "shut"]).sort(by="-pk"))
    assert [("2", "n0"), ("6", "n0")] == list(Task.collection(state="open", name="n0").values_list("pk", "name"))
    with Session(on) as s:
        Task("5").rank.set(0)
        Task("1").rank.delete()
        Task("6").state.hset("shut")
        assert ["2", "5", "3"] == list(Task.collection(state="open"))
        s.commit()
    assert ["2", "5", "3"] == list(Task.collection(state="open"))
    with pytest.raises(UniquenessError, match="c2"):
        Task(code="c2")
    Task("2").code.hset("other")
    assert [] == list(Task.collection(code="c2"))
    assert [Task(code="c2", rank=1).pk.get()] == Task.collection(code="c2")
    for wrong in (lambda: Task("2").rank.set("high"), lambda: Task(rank="nan")):
        with pytest.raises(ArgumentError, match="rank gives the scores of an index and cannot hold"):
            wrong()
    with pytest.raises(ArgumentError, match="__uniqueness__"):
        Task(code="c2:__uniqueness__")
    assert [] == list(check(Task))
    assert server.client().zrange(":task:code:equal-scored:other", 0, -1) == [b"2"]


CANNOT = {
    "no others": ({"a": EqualIndexWith}, "names no other field"),
    "no score": ({"a": ScoredEqualIndex}, "names no other field"),
    "unknown": ({"a": with_("c")}, "names 'c', which is no field of the model"),
    "itself": ({"a": with_("a")}, "names 'a', which is its own field"),
    "many scores": ({"a": scored("many")}, "takes its scores from many, which has many values"),
    "a hash that is unique": ({"a": with_("parts", unique=True)}, "cannot make parts unique"),
    "two with the same keys": ({"a": MultiIndexes.compose([with_("b"), with_("many")])}, "would have the same keys"),
    "sets and sorted sets": (
        {"a": MultiIndexes.compose([scored("b", key="k"), EqualIndex.configure(key="k", prefix=None)])},
        "would have the same keys",
    ),
    "both answer": ({"a": MultiIndexes.compose([EqualIndex, scored("b")])}, "both answer a="),
    "what is unique alone": ({"a": (with_("b"), {"unique": True})}, "is unique, and none of its indexes handles that"),
}


@pytest.mark.parametrize("what", CANNOT)
def test_what_is_refused_when_declared(embedded: Backend, what: str) -> None:
    """By name, with a way out."""
    given, words = CANNOT[what]
    kind, options = given["a"] if isinstance(given["a"], tuple) else (given["a"], {})
    fields = {"a": InstanceHashField(indexable=True, indexes=[kind], **options), "b": StringField()}
    fields |= {"many": SetField(), "parts": HashField()}
    with pytest.raises(ImplementationError, match=words) as raised:
        type(RedisModel)("Bike", (RedisModel,), {"database": embedded.database(), **fields})
    assert "Way out" in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "given", "word"),
    [
        (EqualIndexWith, {"other_fields": "b"}, "other_fields"),
        (EqualIndexWith, {"other_fields": ["b", "b"]}, "other_fields"),
        (EqualIndexWith, {"other_fields": ["b"], "unique": 1}, "unique"),
        (EqualIndexWith, {"handle_uniqueness": True}, "handle_uniqueness"),
        (ScoredEqualIndex, {"score_field": 5}, "score_field"),
    ],
)
def test_what_configure_does_not_take(kind: Any, given: dict[str, Any], word: str) -> None:
    """A TypeError that names it."""
    with pytest.raises(TypeError, match=word):
        kind.configure(**given)


def test_a_declaration_that_says_more(server: Backend) -> None:
    """Other fields, or uniqueness, make it another index, which is not ready until it was rebuilt."""
    on = server.database()

    def declared(*indexes: Any) -> Any:
        fields = {"a": InstanceHashField(indexable=True, indexes=[EqualIndex, *indexes])}
        fields |= {name: InstanceHashField() for name in "bc"}
        return type(RedisModel)("Bike", (RedisModel,), {"database": on, **fields})

    declared(with_("b"))(a="1", b="2", c="3")
    declared(with_("b"))(a="1", b="2")
    for index, filters in ((with_("c"), {"a": "1", "c": "3"}), (with_("b", unique=True), {"a": "1", "b": "2"})):
        bike = declared(index)
        with pytest.warns(match="declared with more"), pytest.raises(IndexNotReady, match="rebuild"):
            list(bike.collection(**filters))
        left = [finding.fault for done in rebuild(bike, "a") for finding in done.left]
        assert left == (["two holders of a unique value"] if index.unique else [])
        assert "1" in bike.collection(**filters)


def test_references_to_nothing_are_cleared_from_it(server: Backend) -> None:
    """By a repair, with the entries that depend on them."""
    rooms, bookings = booked(server.database())
    bookings(room="7", day=date(2015, 1, 1), hour=1)
    (cleared,) = [
        {step.call for step in done.plan} for done in repair(bookings, references="clear") if done.plan.steps
    ][:1]
    assert {("HDEL", ":booking:1:hash", "room"), ("SREM", ":booking:day:equal-with:2015-01-01:7:1", "1")} <= cleared
    assert [] == list(check(rooms, bookings))
    assert not [key for key in server.dump() if b"equal-with" in key]


def test_a_cascade_takes_the_entries_along(server: Backend) -> None:
    """Of objects that are deleted with others, also of new ones with the same values."""
    on = server.database()

    class Room(RelatedModel):
        database = on
        name = InstanceHashField()

    class Seat(RelatedModel):
        database = on
        room = FKInstanceHashField(Room, on_delete=CASCADE)
        row = InstanceHashField(indexable=True, indexes=[with_("room", "number", unique=True), NumberRangeIndex])
        number = StringField()

    room = Room(name="a")
    Seat(room=room, row=1, number=1), Seat(room=room, row=1, number=2)
    with Session(on) as s:
        Seat("1").number.set(3)
        room.delete()
        assert [] == Seat.collection(room="1", row=1, number=3)
        s.commit()
    assert not [key for key in server.dump() if key.startswith(b":seat:row")]


def test_keys_of_indexes(embedded: Backend) -> None:
    """They are those in which the object is found, transformed, of entries, and of several fields."""
    on = embedded.database()
    lower = EqualIndex.configure(prefix="low", transform=lambda text: text.lower() or None)

    class Person(RedisModel):
        database = on
        name = InstanceHashField(
            stored_as="n", indexable=True, indexes=[lower, with_("parts", "born"), NumberRangeIndex]
        )
        parts = HashField(indexable=True)
        born = StringField(type=date, indexable=True, indexes=[scored("rank")])
        rank = StringField()

    Person(name="A:b", parts={"e": "x"}, born=date(2000, 1, 2), rank=3)
    keys = [
        Person.name.get_index().get_storage_key("A:b"),
        Person.get_field("name").get_index(EqualIndexWith).get_storage_key("A:b", "e", "x", date(2000, 1, 2)),
        Person.name.get_index(key="number-range").get_storage_key("A:b"),
        Person.parts.get_index().get_storage_key("e", "x"),
        Person.born.get_index(ScoredEqualIndex).get_storage_key(date(2000, 1, 2)),
    ]
    assert 5 == len({key.encode() for key in keys} & embedded.dump().keys())
    assert lower is Person.name.get_index(lower).kind
    for args in ((), ("a", "b"), ("",)):
        with pytest.raises(ArgumentError, match=r"Person\.name"):
            Person.name.get_index().get_storage_key(*args)


def test_a_pipeline_gives_the_order_of_the_index(server: Backend) -> None:
    """As one reply of it."""
    url = server.server.url if isinstance(server, Real) else None
    shared: Any = server
    on = PipelineDatabase.embedded(shared.server) if url is None else PipelineDatabase.from_url(url)

    class Task(RedisModel):
        database = on
        state = InstanceHashField(indexable=True, indexes=[scored("rank")])
        rank = StringField()

    for rank in (3, 1, 2):
        Task(state="open", rank=rank)
    with on.pipeline() as pipeline:
        Task.collection(state="open")
        Task.collection(state__in=["open", "shut"]).values_list("rank", flat=True)
        assert [["2", "3", "1"], ["1", "2", "3"]] == pipeline.execute()
    on.close()
