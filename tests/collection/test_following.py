"""Pages are parts of one list, whatever was read to make them: against ``sorted()`` of what the objects hold."""

from datetime import date
from random import Random
from typing import Any

import pytest

from tests.tools.backends import Backend, Real
from tests.tools.proxy import Proxy
from uowredis import Conflict, InstanceHashField, PKField, RedisDatabase, RedisModel, Session, SetField, StringField
from uowredis.indexes import EqualIndex, NumberRangeIndex, TextRangeIndex

#: Texts that begin each other, and go on by what is smaller and larger than the separator of the index.
TEXTS = [
    "",
    "a",
    "a b",
    "a b c",
    "a!",
    "a1",
    "a10",
    "a:",
    "a:b",
    "a~",
    "aé",
    "b",
    "b ",
    "b:TEXT-RANGE-SEPARATOR:9",
    "é",
]
NUMBERS = ["-inf", "-2.5", "0", "-0", "1", "1.0", "1e3", "10", "inf", "much"]


def people(on: RedisDatabase, *, chosen: bool = False) -> Any:
    class Person(RedisModel):
        database = on
        if chosen:
            login = PKField()
        born = InstanceHashField(indexable=True, indexes=[EqualIndex, NumberRangeIndex])
        name = StringField(indexable=True, indexes=[TextRangeIndex])
        city = InstanceHashField(indexable=True)

    return Person


def number(text: str) -> float:
    return 0.0 if text == "much" else float(text)


def expected(held: dict[str, dict[str, str]], field: str, *, desc: bool, chosen: bool) -> list[str]:
    """Return who has a value, in the order of it; equal ones by primary key."""

    def key(pk: str) -> Any:
        value: Any = number(held[pk][field]) if field == "born" else held[pk][field].encode()
        return value, pk.encode() if chosen else int(pk)

    return sorted((pk for pk, values in held.items() if field in values), key=key, reverse=desc)


def pages(collection: Any, size: int) -> list[str]:
    """Return what all pages give, one after the other; each goes on from where the one before ended."""
    found: list[str] = []
    after = None
    while page := collection.copy().after(after, size):
        assert len(page) <= size
        found += page
        after = page.last
        assert after[1] == page[-1]
    assert page.last is None
    return found


def stored(model: Any, random: Random, count: int, *, chosen: bool) -> dict[str, dict[str, str]]:
    held: dict[str, dict[str, str]] = {}
    for number_ in range(1, count + 1):
        values = {"born": random.choice(NUMBERS), "name": random.choice(TEXTS), "city": random.choice(["x", "y"])}
        for name in [name for name in ("born", "name") if random.random() < 0.2]:
            del values[name]
        pk = f"{random.choice('ab:')}{number_}" if chosen else str(number_)
        held[pk] = values
        model(**values, **({"login": pk} if chosen else {}))
    return held


@pytest.mark.parametrize("chosen", [False, True], ids=["counted", "chosen"])
@pytest.mark.parametrize("field", ["born", "name"])
def test_all_pages_are_the_whole(server: Backend, field: str, chosen: bool) -> None:
    """Up and down, of any size, with and without filters, over pending writes and under watch."""
    random = Random(field)
    model = people(server.database(), chosen=chosen)
    held = stored(model, random, 60, chosen=chosen)
    alpha = field == "name"
    for desc in (False, True):
        everyone = expected(held, field, desc=desc, chosen=chosen)
        in_x = [pk for pk in everyone if held[pk]["city"] == "x"]
        for size in (1, 7, 100):
            assert everyone == pages(model.collection().sort(by=field, alpha=alpha, desc=desc), size)
        assert in_x == pages(model.collection(city="x").sort(by=field, alpha=alpha, desc=desc), 7)
        bounds = {"born__gte": "0", "born__lt": "100"} if field == "born" else {"name__gt": "a b", "name__lte": "b"}
        within = [
            pk
            for pk in everyone
            if (0 <= number(held[pk]["born"]) < 100 if field == "born" else "a b" < held[pk]["name"] <= "b")
        ]
        assert within == pages(model.collection(**bounds).sort(by=field, alpha=alpha, desc=desc), 4)
        ordered = model.collection().sort(by=field, alpha=alpha, desc=desc)
        assert everyone == model.database.run(lambda _, ordered=ordered: pages(ordered, 30))
    with Session(model.database) as s:
        new = held | {}
        for pk in random.sample(sorted(held), 10):
            if random.random() < 0.3:
                model(pk).delete()
                del new[pk]
            else:
                model(pk).born.hset("5")
                model(pk).name.set("a 5")
                new[pk] = new[pk] | {"born": "5", "name": "a 5"}
        for desc in (False, True):
            everyone = expected(new, field, desc=desc, chosen=chosen)
            assert everyone == pages(model.collection().sort(by=field, alpha=alpha, desc=desc), 9)
        s.commit()
    assert everyone == pages(model.collection().sort(by=field, alpha=alpha, desc=True), 9)


@pytest.mark.parametrize("desc", [False, True])
@pytest.mark.parametrize("field", ["born", "name"])
def test_many_that_are_equal(server: Backend, field: str, desc: bool) -> None:
    """More than are read at once, before others and behind them; they come by primary key, as numbers."""
    model = people(server.database())
    held = {}
    with Session(model.database) as s:
        for pk in range(1, 341):
            # By their texts 90 to 99 come last among these.
            group = (pk >= 90) + (pk >= 310)
            values = {"born": str(group), "name": ["b", "b 1", "a"][group]}
            held[str(pk)] = values
            model(**values)
        s.commit()
    everyone = expected(held, field, desc=desc, chosen=False)
    for size in (3, 50):
        assert everyone == pages(model.collection().sort(by=field, alpha=field == "name", desc=desc), size)


def test_any_texts(server: Backend) -> None:
    """Of few letters, so that they begin each other in all ways."""
    model, random = people(server.database()), Random(5)
    held = {}
    with Session(model.database) as s:
        for pk in range(1, 400):
            name = "".join(random.choices("a :;9", k=random.randrange(5)))
            held[str(pk)] = {"name": name}
            model(name=name)
        s.commit()
    for desc in (False, True):
        everyone = expected(held, "name", desc=desc, chosen=False)
        assert everyone == pages(model.collection().sort(by="name", alpha=True, desc=desc), 2)


def test_what_is_given_and_from_where(server: Backend) -> None:
    """Values and instances as any collection; a place is what a user has, and need not be there any more."""

    class Person(RedisModel):
        database = server.database()
        born = InstanceHashField(type=date, indexable="range")
        size = StringField(type=int, indexable="range")
        name = InstanceHashField()
        tags = SetField()

    for day in range(1, 6):
        Person(born=date(2000, 1, day), size=day // 2, name=f"n{day}", tags=[day, "t"])
    people = Person.collection().sort(by="born")
    first = people.values("name").after(None, 2)
    assert [{"name": "n1"}, {"name": "n2"}] == first
    assert (date(2000, 1, 2), "2") == first.last
    Person("2").delete()
    assert ["n3", "n4"] == [person.name.hget() for person in people.instances().after(first.last, 2)]
    assert ["4", "5"] == people.primary_keys().after((date(2000, 1, 3), Person("3")), 10)
    assert ["5", "4"] == people.sort(by="-born").after(None, 2)
    with Session(Person.database) as s:
        Person("4").name.hset("last")
        listed = people.copy().values_list("name", "size", "pk")
        assert [("n5", 2, "5"), ("last", 2, "4"), ("n3", 1, "3")] == listed.after(None, 3)
        assert [] == listed.after((date(1999, 1, 1), "1"), 3)
        s.rollback()
    assert [("n4", {"4", "t"}), ("n5", {"5", "t"})] == people.sort(by="born").values_list("name", "tags").after(
        (date(2000, 1, 3), "3"), 2
    )
    loaded = people.instances(load=("tags",)).after(None, 2)
    assert [{"1", "t"}, {"3", "t"}] == [person.loaded["tags"] for person in loaded]
    with Session(Person.database) as s:
        Person("1").tags.srem("t")
        assert [{"1"}, {"3", "t"}] == people.values_list("tags", flat=True).after(None, 2)
        s.rollback()
    sizes = Person.collection().sort(by=Person.size)
    assert (1, "3") == sizes.after(None, 2).last
    assert ["4"] == sizes.after((1, "3"), 1) == sizes.after((1.5, 9), 1)
    assert [] == sizes.after((2, "5"), 1)
    assert ["3", "4", "5"] == Person.collection(size__gt=0).sort(by="size").after(None, 5)


# With more than that, over pending writes and under watch: what is read does not grow with what is there.


def crowd(on: RedisDatabase, count: int, seed: int) -> tuple[Any, dict[str, dict[str, str]]]:
    """Return a model, and what so many objects hold: half of them live in x, one of fifty in z."""
    model, random, held = people(on), Random(seed), {}
    for pk in range(1, count + 1):
        city = "z" if not pk % 50 else random.choice("xy")
        number_ = str(random.randrange(count // 3))
        held[str(pk)] = {"born": number_, "name": random.choice(TEXTS) + number_, "city": city}
    model.create_many(held.values())
    return model, held


@pytest.mark.parametrize("way", ["outside", "pending", "watched"])
@pytest.mark.parametrize("field", ["born", "name"])
def test_pages_among_many(server: Backend, field: str, way: str) -> None:
    """They are the whole with other filters, exclusions and bounds, too, whether it is gone along or fetched."""
    model, held = crowd(server.database(), 700, 3)
    alpha = field == "name"
    with Session(model.database, watch_reads=way == "watched", on_pending="discard"):
        if way != "outside":
            random = Random(4)
            for pk in random.sample(sorted(held), 60):
                kind = random.randrange(4)
                if kind == 0:
                    model(pk).delete()
                    del held[pk]
                elif kind == 1:
                    held[pk]["city"] = random.choice("xyz")
                    model(pk).city.hset(held[pk]["city"])
                elif kind == 2:
                    held[pk] |= {"born": "77", "name": "a 5"}
                    model(pk).born.hset("77")
                    model(pk).name.set("a 5")
                else:
                    del held[pk][field]
                    getattr(model(pk), field).delete()
            made = [model(born="78", name="a!", city="x") for _ in range(3)]
            held |= {each.pk.get(): {"born": "78", "name": "a!", "city": "x"} for each in made}
        for desc in (False, True):
            everyone = expected(held, field, desc=desc, chosen=False)
            cities = {city: [pk for pk in everyone if held[pk]["city"] == city] for city in "xyz"}
            low, high = ("40", "90") if field == "born" else ("a 5", "a~!")
            bounds = {f"{field}__gt": low, f"{field}__lte": high}
            within = [
                pk
                for pk in cities["x"]
                if (40 < int(held[pk]["born"]) <= 90 if field == "born" else "a 5" < held[pk]["name"] <= "a~!")
            ]
            for collection, whole in (
                (model.collection(), everyone),
                (model.collection(city="x"), cities["x"]),
                (model.collection(city="z"), cities["z"]),
                (model.collection(city__in=["x", "z"]), [pk for pk in everyone if held[pk]["city"] != "y"]),
                (model.collection().exclude(city="x"), [pk for pk in everyone if held[pk]["city"] != "x"]),
                (model.collection(city="x", **bounds), within),
            ):
                collection.sort(by=field, alpha=alpha, desc=desc)
                assert whole == pages(collection, 60)
                assert whole[:5] == collection.after(None, 5)
        if field == "name":
            begun = [pk for pk in expected(held, field, desc=True, chosen=False) if held[pk]["name"].startswith("a ")]
            assert begun == pages(model.collection(name__startswith="a ").sort(by="-name", alpha=True), 50)
            assert begun[::-1] == pages(model.collection(name__startswith="a ").sort(by="name", alpha=True), 50)


@pytest.mark.parametrize("way", ["outside", "pending", "watched"])
@pytest.mark.parametrize(("field", "trips"), [("born", 1), ("name", 2)])
def test_what_is_read_does_not_grow(real: Real, proxy: Proxy, field: str, trips: int, way: str) -> None:
    """Of 3,000 objects, half of which are wanted, a page needs a few hundred, however deep it lies."""
    with RedisDatabase.from_url(proxy.url) as on:
        model, held = crowd(on, 3_000, 5)
        alpha = field == "name"
        everyone = expected(held, field, desc=False, chosen=False)
        in_x = [pk for pk in everyone if held[pk]["city"] == "x"]
        deep = (held[in_x[900]][field], in_x[900])
        with Session(on, watch_reads=way == "watched", on_pending="discard"):
            if way == "pending":
                model(in_x[901]).city.hset("y")
            following = in_x[902 if way == "pending" else 901 :][:10]
            proxy.reset()
            assert following == model.collection(city="x").sort(by=field, alpha=alpha).after(deep, 10)
            names = [call[0] for call in proxy.seen]
            assert not {b"SORT", b"SMEMBERS", b"SINTER"} & {*names}
            assert 1_200 > sum(map(len, proxy.seen))
            assert trips + 1 + 3 * (way == "pending") >= proxy.round_trips()


def test_where_few_are_wanted_these_are_fetched(real: Real, proxy: Proxy) -> None:
    """Rather than going along all that are not."""
    with RedisDatabase.from_url(proxy.url) as on:
        model, held = crowd(on, 3_000, 6)
        in_z = [pk for pk in expected(held, "born", desc=False, chosen=False) if held[pk]["city"] == "z"]
        proxy.reset()
        assert in_z[:10] == model.collection(city="z").sort(by="born").after(None, 10)
        assert [b"ZRANGEBYSCORE", b"SCARD", b"SORT"] == [call[0] for call in proxy.seen]
        assert 2 == proxy.round_trips()


@pytest.mark.parametrize("filters", [{}, {"city": "x"}], ids=["alone", "filtered"])
@pytest.mark.parametrize("field", ["born", "name"])
def test_what_follows_is_watched(server: Backend, field: str, filters: dict[str, str]) -> None:
    """Whoever comes in between, leaves, or is wanted no more is a conflict; what is of no matter to it is none."""
    ours, theirs = people(server.database()), people(server.database())
    values = {"born": ["1", "2", "3"], "name": ["a", "b", "c"]}[field]
    meanwhile = {
        "comes": lambda: theirs(**{field: values[1], "city": "x"}),
        "goes": lambda: theirs("2").delete(),
        "moves": lambda: getattr(theirs("1"), field).set(values[2]),
        **({"is wanted no more": lambda: theirs("2").city.hset("y")} if filters else {}),
    }
    for what, change in [*meanwhile.items(), ("nothing", lambda: theirs(city="z"))]:
        server.flush()
        for value in values:
            ours(**{field: value, "city": "x"})
        with Session(ours.database, watch_reads=True, on_pending="discard") as s:
            ordered = ours.collection(**filters).sort(by=field, alpha=field == "name")
            assert ["2", "3"] == ordered.after((values[0], 1), 2)
            ours("3").city.hset("w")
            change()
            if what == "nothing":
                s.commit()
                continue
            with pytest.raises(Conflict):
                s.commit()


def test_a_dry_run_gives_values_of_what_has_no_primary_key(server: Backend) -> None:
    """As it gives those of others."""
    model = people(server.database())
    model(born="1", city="x")
    with Session(model.database, dry_run=True):
        model(born="2", city="y")
        assert [("x", "1"), ("y", "2")] == model.collection().sort("born").values_list("city", "born").after(None, 5)


def test_what_the_session_puts_far_behind_comes_last(server: Backend) -> None:
    """Though nothing that is wanted was met in the index until then."""
    model = people(server.database())
    model.create_many([{"born": str(born), "city": "y" if born < 200 else "x"} for born in range(900)])
    with Session(model.database, on_pending="discard"):
        for pk in range(1, 31):
            model(pk).born.hset("5000")
            model(pk).city.hset("x")
        found = model.collection(city="x").sort("born")
        assert [str(pk) for pk in range(201, 221)] == found.after(None, 20)
        assert [str(pk) for pk in range(1, 21)] == found.after((899, 900), 20)
