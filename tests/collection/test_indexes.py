"""Indexes as they are declared: what they refuse, when, and with which way out; transforms, uniqueness, no value."""

import itertools
import operator
from collections.abc import Callable
from typing import Any

import pytest

from tests.tools.backends import Backend
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    HashField,
    ImplementationError,
    IndexNotReady,
    InstanceHashField,
    ListField,
    PendingWrites,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    SortedSetField,
    StringField,
    UniquenessError,
    check,
    rebuild,
    repair,
)
from uowredis.contrib.related import FKInstanceHashField, RelatedModel
from uowredis.indexes import EqualIndex, Index, NumberRangeIndex, TextRangeIndex
from uowredis.schema.index import IndexEntry
from uowredis.schema.keys import Keys
from uowredis.schema.lookup import Among, Lookup

RANGED = {"indexable": True, "indexes": [EqualIndex, TextRangeIndex]}


def declared(on: RedisDatabase, **fields: Any) -> Any:
    return type(RedisModel)("Bike", (RedisModel,), {"database": on, **fields})


def two(*indexes: type[Index], kind: Any = InstanceHashField, **options: Any) -> Callable[[RedisDatabase], Any]:
    return lambda on: declared(on, name=kind(indexable=True, indexes=list(indexes), **options))


CANNOT = {
    "the same kind twice": (two(EqualIndex, EqualIndex), "same keys"),
    "the same prefix": (two(EqualIndex, TextRangeIndex, TextRangeIndex.configure(key="t")), "both answer name__gt="),
    "one range by two kinds": (two(NumberRangeIndex, TextRangeIndex), "NumberRangeIndex both answer name__gt="),
    "the same keys by prefix and key": (
        two(EqualIndex.configure(prefix="a"), EqualIndex.configure(key="a")),
        "same keys",
    ),
    "unique without one that handles it": (two(TextRangeIndex, unique=True), "EqualIndex among indexes"),
    "unique and told not to": (two(EqualIndex.configure(handle_uniqueness=False), unique=True), "EqualIndex among"),
    "no index": (two(), "a list of kinds of index, not []"),
    "no kind": (lambda on: declared(on, name=StringField(indexable=True, indexes=[str])), "not [<class 'str'>]"),
    "not indexable": (lambda on: declared(on, name=StringField(indexes=[EqualIndex])), "Way out: indexable=True"),
    "no type for a range": (lambda on: declared(on, name=StringField(indexable="range")), "Way out: type=int"),
    "a range, and indexes": (
        lambda on: declared(on, name=StringField(type=int, indexable="range", indexes=[EqualIndex])),
        "and no indexes",
    ),
    "another word": (lambda on: declared(on, name=StringField(indexable="ranges")), "not 'ranges'"),
    "no value of many": (lambda on: declared(on, name=SetField(none=True)), "indexable"),
    "no value without index": (lambda on: declared(on, name=StringField(none=True)), "indexable"),
}


@pytest.mark.parametrize("what", CANNOT)
def test_what_cannot_stand_together_is_refused_when_declared(embedded: Backend, what: str) -> None:
    """The message names the field, the two that collide, and a way out."""
    declare, words = CANNOT[what]
    with pytest.raises(ImplementationError) as raised:
        declare(embedded.database())
    assert words in str(raised.value)
    assert "Way out" in str(raised.value) or "must be True or False" in str(raised.value)


def test_references_have_the_index_for_equal_values(embedded: Backend) -> None:
    """They are found by it; the defaults of a model are not theirs."""
    on = embedded.database()

    class Person(RelatedModel):
        database = on
        default_indexes = (EqualIndex, TextRangeIndex)
        name = InstanceHashField(indexable=True)
        friend = FKInstanceHashField("self", none=True)

    ann = Person(name="Ann")
    bob = Person(name="Bob", friend=ann)
    assert ["2"] == Person.collection(friend=ann, name__gt="B")
    assert ["1"] == Person.collection(friend=None)
    with pytest.raises(ImplementationError, match="its indexes answer friend=, friend__eq=, friend__in="):
        Person.collection(friend__gt=1)
    with Session(on) as s:
        ann.delete()
        assert ["2"] == Person.collection(friend=None) == Person.collection(friend__isnull=True)
        assert [] == Person.collection(friend="1") == Person.collection(friend__isnull=False)
        s.commit()
    assert ["2"] == Person.collection(friend=None)
    assert bob.friend.get() is None
    assert [] == list(check(Person))
    with pytest.raises(ImplementationError, match="Way out: leave out indexes"):
        type(RelatedModel)(
            "Other", (RelatedModel,), {"database": on, "to": FKInstanceHashField(Person, indexes=[EqualIndex])}
        )


def test_defaults_of_a_class_come_before_those_of_a_model(embedded: Backend) -> None:
    """And what a field says itself before both."""

    class NumberField(StringField[Any]):
        default_indexes = (NumberRangeIndex,)

    class Bike(RedisModel):
        database = embedded.database()
        default_indexes = (TextRangeIndex,)
        price = NumberField(indexable=True)
        name = InstanceHashField(indexable=True)
        color = InstanceHashField(indexable=True, indexes=[EqualIndex])

    Bike(price=10, name="a b", color="red")
    assert ["1"] == Bike.collection(price__gt=9, name__lt="c", color="red")
    indexes = {b":bike:color:red", b":bike:name:text-range", b":bike:price:number-range"}
    assert indexes == embedded.dump().keys() - {b":bike:1:hash", b":bike:1:price", b":bike:collection", b":bike:max_pk"}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"other": 1}, "other"),
        ({"prefix": "a:b"}, "prefix"),
        ({"prefix": "a__b"}, "prefix"),
        ({"key": 5}, "key"),
        ({"transform": 5}, "function"),
        ({"handle_uniqueness": 1}, "handle_uniqueness"),
    ],
)
def test_what_configure_does_not_take(given: dict[str, Any], word: str) -> None:
    """A TypeError that names it."""
    with pytest.raises(TypeError, match=word):
        EqualIndex.configure(**given)
    assert "Short" == TextRangeIndex.configure(name="Short", prefix="short").__name__


@pytest.mark.parametrize("session", [False, True])
def test_a_value_in_the_place_of_another_index_is_refused(server: Backend, session: bool) -> None:
    """Nothing is written: a set would be where a sorted set is, or two indexes would be mixed up."""
    on = server.database()
    lower = EqualIndex.configure(prefix="lower", transform=str.lower)
    bike = declared(
        on,
        name=InstanceHashField(**RANGED),
        tags=SetField(indexable=True, indexes=[EqualIndex, lower]),
        parts=HashField(indexable=True, indexes=[EqualIndex, NumberRangeIndex]),
    )
    one = bike(name="x")
    before = server.dump()
    for write, word in (
        (lambda: one.name.hset("text-range"), "text-range"),
        (lambda: one.tags.sadd("a", "lower:b"), "lower:b"),
        (lambda: one.parts.hset("bell", "number-range"), "number-range"),
        (lambda: bike(name="text-range"), "TextRangeIndex"),
    ):
        with pytest.raises(ArgumentError, match=word):
            if session:
                with on.begin():
                    write()
            else:
                write()
    assert {key: value for key, value in server.dump().items() if b"max_pk" not in key} == {
        key: value for key, value in before.items() if b"max_pk" not in key
    }
    # Where the name of the index is no whole value, or the field has no such index, it is a value as any.
    one.name.hset("text-range:")
    one.parts.hset("number-range", "bell")
    assert ["1"] == bike.collection(name="text-range:") == bike.collection(**{"parts__number-range": "bell"})
    assert [] == list(check(bike))


def test_a_transform(server: Backend) -> None:
    """It sees values of the type, may be a method, may leave out; what it cannot do is refused, and has no entry."""
    on = server.database()

    class Parity(EqualIndex):
        prefix = "even"

        def transform(self, value: int) -> int | None:
            return None if value == 0 else int(value % 2 == 0)

    bike = declared(
        on,
        wheels=InstanceHashField(type=int, indexable=True, indexes=[EqualIndex, Parity]),
        size=StringField(
            indexable=True, indexes=[NumberRangeIndex.configure(prefix="cm", transform=lambda t: int(t[:-2]))]
        ),
    )
    bike(wheels=2, size="70cm")
    bike(wheels=3, size="9cm")
    bike(wheels=0)
    assert ["1"] == bike.collection(wheels__even=1)
    assert ["2"] == bike.collection(wheels__even__in=["0"])
    assert ["1"] == bike.collection(size__cm__gt=9)
    with pytest.raises(ArgumentError, match=r"Bike <1>.size is indexed and cannot hold 'tall'.*ValueError.*Way out"):
        bike("1").size.set("tall")
    on.connection.set(":bike:2:size", "tall")
    assert ["stale entry"] == [finding.fault for finding in check(bike)]
    bike("2").delete()
    list(repair(bike))
    assert ["1"] == bike.collection(size__cm__gte=0)
    assert [] == list(check(bike))


def test_numbers_that_are_none(server: Backend) -> None:
    """They count as 0, or are refused; filters take numbers only; NaN is none."""
    on = server.database()
    strict = NumberRangeIndex.configure(raise_if_not_float=True)
    bike = declared(
        on,
        price=StringField(indexable=True, indexes=[NumberRangeIndex]),
        width=StringField(indexable=True, indexes=[strict]),
    )
    bike(price="nan", width="-0")
    bike(price="much", width="inf")
    bike(price=-1)
    assert {"1", "2"} == bike.collection(price__gte=0) == bike.collection(price=0)
    assert ["2"] == bike.collection(width__gt=10**300)
    assert ["1"] == bike.collection(width=0)
    for value in ("wide", "nan"):
        with pytest.raises(ArgumentError, match=f"cannot hold '{value}'.*no number"):
            bike("3").width.set(value)
    with pytest.raises(ArgumentError, match=r"Bike.price__gt cannot be compared with 'much'.*no number"):
        bike.collection(price__gt="much")


def test_what_is_said_again_counts_and_not_what_its_index_says(server: Backend) -> None:
    """The commit makes the entry right, so that a session does not find by what is wrong until then."""
    on = server.database()
    bike = declared(on, price=StringField(indexable=True, indexes=[NumberRangeIndex]))
    one = bike(price=5)
    server.client().zadd(":bike:price:number-range", {"1": 1})
    with Session(on) as s:
        assert ["1"] == bike.collection(price__lt=3)
        one.price.set(5)
        assert [] == bike.collection(price__lt=3)
        assert ["1"] == bike.collection(price__gt=3)
        s.commit()
    assert [] == bike.collection(price__lt=3)


def test_integers_are_compared_with_any_number(embedded: Backend) -> None:
    """Between two integers there are other numbers; an equal value is one of the type."""
    bike = declared(embedded.database(), wheels=StringField(type=int, indexable="range"))
    bike(wheels=2)
    assert ["1"] == bike.collection(wheels__gt=1.5, wheels__lt=2.5)
    for asked in ({"wheels": 1.5}, {"wheels__gt": "2"}, {"wheels__gt": True}, {"wheels__gt": float("nan")}):
        with pytest.raises(ArgumentError, match=r"Bike\.wheels"):
            bike.collection(**asked)


def test_of_several_bounds_the_narrowest_counts(server: Backend) -> None:
    """Whether they hold the bound itself or not, in whichever order they are said, as Python compares."""
    bike = declared(server.database(), wheels=StringField(type=int, indexable="range"))
    for wheels in range(1, 6):
        bike(wheels=wheels)
    compare = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
    for words in itertools.permutations(compare, 2):
        for bounds in itertools.product((2, 4), repeat=2):
            found = bike.collection()
            for word, bound in zip(words, bounds, strict=True):
                found.filter(**{f"wheels__{word}": bound})
            said = list(zip(words, bounds, strict=True))
            expected = [f"{n}" for n in range(1, 6) if all(compare[word](n, bound) for word, bound in said)]
            assert expected == sorted(found), said
            assert len(expected) == found.count(), said


def test_unique_values_are_those_of_the_index_that_handles_it(server: Backend) -> None:
    """Of what a transform gives, too; a value that was released is free again."""
    on = server.database()
    folded = EqualIndex.configure(prefix="folded", transform=str.casefold)
    plain = EqualIndex.configure(handle_uniqueness=False)
    bike = declared(on, name=InstanceHashField(unique=True, indexes=[plain, folded, TextRangeIndex]))
    one, two_ = bike(name="Abc"), bike(name="x")
    for write in (lambda: bike(name="ABC"), lambda: two_.name.hset("aBC")):
        with pytest.raises(UniquenessError, match="abc"):
            write()
    one.name.hset("aBc")
    with on.begin():
        two_.name.hset("ABC")
        one.name.hset("X")
    assert ["2"] == bike.collection(name__folded="abc", name__lt="B")
    one.delete()
    assert [bike(name="X").pk.get()] == bike.collection(name__folded="x")
    assert [] == list(check(bike))


def test_one_value_of_a_set_keeps_the_entry_that_another_leaves(server: Backend) -> None:
    """Two values may be one to an index that transforms."""
    on = server.database()
    lower = EqualIndex.configure(prefix="lower", transform=str.lower)
    bike = declared(on, tags=SetField(indexable=True, indexes=[EqualIndex, lower]))
    one = bike(tags=["GO", "go", "Chess"])
    one.tags.srem("GO")
    assert ["1"] == bike.collection(tags__lower="go")
    with Session(on) as s:
        one.tags.srem("go")
        assert [] == bike.collection(tags__lower="go")
        one.tags.sadd("Go")
        assert ["1"] == bike.collection(tags__lower="go")
        s.commit()
    assert [] == list(check(bike))
    one.tags.delete()
    assert [] == bike.collection(tags__lower="go") == bike.collection(tags__lower="chess")


def test_no_value(server: Backend) -> None:
    """It is an entry that creations, changes, deletions and deletions with what follows keep."""
    on = server.database()
    bike = declared(
        on, name=StringField(indexable=True, none=True), size=InstanceHashField(type=int, indexable=True, none=True)
    )
    one, two_ = bike(name="x"), bike(size=1)
    bike()
    assert ["2"] == bike.collection(name=None) == bike.collection(name__in=[None]) == bike.collection(name__isnull=True)
    assert {"1", "2"} == bike.collection(name__in=["x", None])
    assert ["1"] == bike.collection(size=None, name__isnull=False)
    one.name.delete()
    two_.name.set("y")
    assert ["1"] == bike.collection(name=None)
    two_.size.hdel()
    assert {"1", "2"} == bike.collection(size__eq=None)
    with Session(on) as s:
        two_.name.delete()
        one.size.hset(3)
        new = bike(size=5)
        assert {"1", "2", new.pk.get()} == bike.collection(name=None)
        assert {"2"} == bike.collection(size__isnull=True)
        one.delete()
        new.name.set("z")
        assert {"2"} == bike.collection(name=None) == bike.collection(size=None)
        assert {new.pk.get()} == bike.collection(name__isnull=False, size=5)
        s.commit()
    assert {"2"} == bike.collection(name=None) == bike.collection(size=None)
    late = bike()
    late.name.set("made by its first value")
    assert {"2", late.pk.get()} == bike.collection(size=None)
    assert [] == [finding for finding in check(bike) if not finding.is_note]
    with pytest.raises(ArgumentTypeError, match="True or False"):
        bike.collection(name__isnull=1)


def test_an_index_that_is_declared_later_is_filled_by_rebuild(server: Backend) -> None:
    """Of every kind; keys that another declaration left are told, and deleted where their field is named."""
    on = server.database()
    for number in range(3):
        declared(on, name=InstanceHashField(indexable=True), age=StringField())(name=f"n{number}", age=number)
    ranged = StringField(indexable=True, indexes=[NumberRangeIndex], none=True)
    bike = declared(on, name=InstanceHashField(indexable=True, indexes=[TextRangeIndex]), age=ranged, note=ranged)
    assert {"declaration changed", "missing entry", "index not declared"} == {finding.fault for finding in check(bike)}
    list(rebuild(bike))
    assert {"2", "3"} == bike.collection(age__gte=1, name__gt="n0", note=None)
    assert {"index not declared"} == {finding.fault for finding in check(bike)}
    plain = declared(on, name=InstanceHashField(indexable=True), age=StringField(), note=StringField())
    assert "index not declared" in {finding.fault for finding in check(plain)}


def test_only_the_index_that_lacks_some_is_not_ready(server: Backend) -> None:
    """Others of the same field answer meanwhile, and stay ready while it is built."""
    declared(server.database(), name=InstanceHashField(indexable=True))(name="a")
    bike = declared(server.database(changed="warn"), name=InstanceHashField(**RANGED, none=True))
    with pytest.warns(RuntimeWarning, match=r"its index 'text.text-range' is new.*its index 'none' is new"):
        assert ["1"] == bike.collection(name="a")
    for asked in ({"name__gt": ""}, {"name": None}, {"name": "a", "name__lt": "b"}):
        with pytest.raises(IndexNotReady, match=r"rebuild .*Bike\.name"):
            list(bike.collection(**asked))
    for _ in rebuild(bike, "name"):
        assert ["1"] == bike.collection(name="a")
    assert ["1"] == bike.collection(name__gt="")
    assert [] == bike.collection(name=None)


def test_what_cannot_be_indexed_keeps_a_session_from_answering(embedded: Backend) -> None:
    """The commit would be refused."""
    on = embedded.database()
    bike = declared(on, name=InstanceHashField(**RANGED))
    one = bike(name="x")
    with Session(on) as s:
        one.name.hset("text-range")
        with pytest.raises(PendingWrites, match="text-range"):
            list(bike.collection(name="x"))
        s.rollback()


class LengthIndex(Index):
    """Finds objects by the length of a text, as CONTRIBUTING.md shows it."""

    key = "length"
    suffixes = frozenset(("length",))

    def entry(self, keys: Keys, entry: str, value: str, pk: str) -> IndexEntry:
        return keys.index(self.field.stored, *self.parts(entry), str(len(value))), pk, None

    def lookup(self, keys: Keys, entry: str, suffix: str, values: tuple[str, ...]) -> tuple[Lookup, ...]:
        return (Among(tuple(keys.index(self.field.stored, *self.parts(entry), value) for value in values)),)

    def owns(self, keys: Keys, key: str) -> bool:
        return keys.value_behind(self.field.stored, key, self.tail, by_entry=self.by_entry) is not None


def test_a_kind_of_ones_own(server: Backend) -> None:
    """Changes, sessions, deletions and the check know it by its entries."""
    on = server.database()
    bike = declared(on, name=InstanceHashField(indexable=True, indexes=[EqualIndex, LengthIndex]))
    one, two_ = bike(name="abcd"), bike(name="efgh")
    with Session(on) as s:
        two_.name.hset("x")
        assert ["1"] == bike.collection(name__length=4)
        s.commit()
    assert ["2"] == bike.collection(name__length=1)
    one.delete()
    assert [] == bike.collection(name__length=4)
    assert [] == list(check(bike))
    server.client().sadd(":bike:name:length:9", "2")
    assert ["stale entry"] == [finding.fault for finding in check(bike)]


def test_no_value_of_many(server: Backend) -> None:
    """A set, list, sorted set or hash that is empty, whatever made it so; by pending commands, too."""
    on = server.database()
    options = {"indexable": True, "none": True}
    bike = declared(
        on,
        tags=SetField(**options),
        steps=ListField(**options),
        ranks=SortedSetField(**options),
        parts=HashField(**options),
        note=StringField(),
    )
    one = bike(tags=["a", "b"], steps=["x", "x"], ranks={"r": 1}, parts={"bell": "gold"})
    two_ = bike(note="empty else")
    for field in ("tags", "steps", "ranks"):
        assert ["2"] == bike.collection(**{field: None}) == bike.collection(**{f"{field}__isnull": True})
    assert ["2"] == bike.collection(parts__isnull=True)
    one.tags.srem("a")
    one.steps.lpop()
    assert ["1"] == bike.collection(tags__isnull=False, steps__isnull=False, ranks__isnull=False, parts__isnull=False)
    with Session(on) as s:
        one.tags.spop()
        one.steps.lrem(0, "x")
        one.ranks.zremrangebyscore("-inf", "+inf")
        one.parts.hdel("bell")
        two_.tags.sadd("c")
        two_.parts.hset("bell", "gold")
        assert ["1"] == bike.collection(tags=None, steps=None, ranks=None, parts__isnull=True)
        assert {"1", "2"} == bike.collection(steps__in=["x", None])
        s.commit()
    assert ["1"] == bike.collection(tags=None, parts__isnull=True)
    assert ["2"] == bike.collection(tags="c", steps=None, ranks__isnull=True, parts__bell="gold")
    two_.tags.delete()
    assert {"1", "2"} == bike.collection(tags=None)
    assert [] == [each for each in check(bike) if not each.is_note]
    with pytest.raises(ImplementationError, match="one of its entries"):
        bike.collection(parts=None)


@pytest.mark.parametrize(
    "filters", [{"name__startswith": "a"}, {"name__gte": "a"}, {"name": "a:TEXT-RANGE-SEPARATOR:b"}]
)
def test_a_text_may_hold_what_stands_before_primary_keys(server: Backend, filters: dict[str, str]) -> None:
    """The last one is the index's own: no primary key holds it."""

    class Named(RedisModel):
        database = server.database()
        name = InstanceHashField(indexable=True, indexes=[TextRangeIndex])

    Named(name="a:TEXT-RANGE-SEPARATOR:b")
    assert ["1"] == list(Named.collection(**filters))
