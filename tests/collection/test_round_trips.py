"""What each kind of query sends, and how often one waits for it: counted on the socket, told by ``explain()``."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.models import People, current_user, documented, words
from tests.tools.backends import Real
from tests.tools.proxy import Proxy
from uowredis import InstanceHashField, RedisDatabase, RedisModel, Session, SetField, StringField
from uowredis.contrib.collection import SORTED_SCORE
from uowredis.contrib.indexes import EqualIndexWith, ScoredEqualIndex
from uowredis.contrib.related import FKInstanceHashField, FKStringField, M2MSetField, RelatedModel
from uowredis.indexes import EqualIndex, NumberRangeIndex, TextRangeIndex

PAGE = Path(__file__).parents[2] / "docs" / "collections.md"


@attrs.frozen
class Case:
    """One kind of query, as docs/collections.md names it in its table.

    Attributes:
        name: in the table.
        make: the collection; nothing is sent by it.
        commands: names of what is sent, a list a round trip.
        look: how it is looked at, ``list`` by default.
        shown: what ``explain()`` can tell without asking, where that is less.
    """

    name: str
    make: Callable[["Stage"], Any]
    commands: list[list[str]]
    look: Callable[[Any], Any] = list
    shown: list[list[str]] | None = None


@attrs.frozen
class Stage:
    """The documented models by way of the proxy, on a connection that has made a transaction.

    Attributes:
        ranged: a model with indexes of ranges.
        book: a model that refers to authors: two books of one, who has an editor.
        author: that one.
    """

    people: People
    me: Any
    word: type[Any]
    stored: str
    users: str
    ranged: type[Any]
    book: type[Any]
    author: type[Any]

    def find(self, **filters: Any) -> Any:
        return self.people.extended.collection(**filters)


def declared_ranged(on: RedisDatabase) -> type[Any]:
    """Declare ``Ranged``: numbers, and texts that may be missing."""

    class Ranged(RedisModel):
        database = on
        name = InstanceHashField(indexable=True, indexes=[EqualIndex, TextRangeIndex], none=True)
        age = StringField(indexable=True, indexes=[NumberRangeIndex])
        city = InstanceHashField(indexable=True)
        team = InstanceHashField(
            indexable=True,
            indexes=[
                EqualIndexWith.configure(other_fields=["city"]),
                ScoredEqualIndex.configure(score_field="age", prefix="ranked"),
            ],
        )

    return Ranged


def declared_books(on: RedisDatabase) -> tuple[type[Any], type[Any]]:
    """Declare ``Book`` and ``Author``, and store them."""

    class Author(RelatedModel):
        database = on
        name = InstanceHashField()
        born = InstanceHashField()
        editor = FKStringField("self", related_name="edits")

    class Book(RelatedModel):
        database = on
        title = InstanceHashField(indexable=True)
        kind = InstanceHashField(indexable=True)
        tags = SetField()
        author = FKInstanceHashField(Author, related_name="books")
        editors = M2MSetField(Author, related_name="edited")

    author = Author(name="Ann", editor=Author(name="Bea"))
    for title in ("one", "two"):
        Book(title=title, kind="novel", tags=["a"], author=author, editors=["1"])
    return Book, Author


def transaction(*names: str) -> list[list[str]]:
    """Return the one round trip of a transaction."""
    return [["MULTI", *names, "EXEC"]]


JOHN: dict[str, Any] = {"firstname": "John"}
DOE: dict[str, Any] = {"firstname": "John", "lastname": "Doe"}
TWO = transaction("SINTERSTORE", "SORT", "UNLINK")

CASES = [
    Case("everything", lambda s: s.find(), [["SMEMBERS"]]),
    Case("one filter", lambda s: s.find(**JOHN), [["SMEMBERS"]]),
    Case("several filters", lambda s: s.find(**DOE), [["SINTER"]]),
    Case("the primary key, and filters", lambda s: s.find(pk=1, **DOE), [["SMISMEMBER", "SMISMEMBER"]]),
    Case("one filter, sorted", lambda s: s.find(**JOHN).sort(by="birth_year"), [["SORT"]]),
    Case("one filter, with values", lambda s: s.find(**JOHN).values(), [["SORT"]]),
    Case("one filter, sliced", lambda s: s.find(**JOHN), [["SORT"]], lambda c: c[0:1]),
    Case("several filters, sorted", lambda s: s.find(**DOE).sort(by="birth_year"), TWO),
    Case(
        "several filters, sorted, sliced, with values",
        lambda s: s.find(**DOE).sort(by="-birth_year").values("pk", "city"),
        TWO,
        lambda c: c[0:20],
    ),
    Case(
        "several filters, sliced from the back",
        lambda s: s.find(**DOE).sort(by="city", alpha=True),
        TWO,
        lambda c: c[-1],
    ),
    Case("instances of everything", lambda s: s.find().instances(), [["SMEMBERS"]]),
    Case("instances", lambda s: s.find(**DOE).instances(), [["SINTER"], ["SMISMEMBER"]]),
    Case("instances, sorted", lambda s: s.find(**DOE).instances().sort(), [*TWO, ["SMISMEMBER"]]),
    Case("instances, not looked up", lambda s: s.find(**JOHN).instances(lazy=True), [["SMEMBERS"]]),
    Case(
        "by several fields, sliced",
        lambda s: s.find(**JOHN).sort(by=("birth_year", "-pk")),
        [["SORT"]],
        lambda c: c[0:1],
    ),
    Case("the first, sorted", lambda s: s.find(**JOHN).sort(by="birth_year"), [["SORT"]], lambda c: c.first()),
    Case(
        "whether there is one, several filters",
        lambda s: s.find(**DOE),
        [["SCARD", "SCARD"], ["SINTER"]],
        lambda c: c.exists(),
    ),
    Case("get_many()", lambda s: s.people.extended, [["SMISMEMBER"]], lambda model: model.get_many([2, 1])),
    Case("length, one filter", lambda s: s.find(**JOHN), [["SCARD"]], len),
    Case("length, several filters", lambda s: s.find(**DOE), [["SINTER"]], len),
    Case("membership", lambda s: s.find(**DOE), [["SMISMEMBER", "SMISMEMBER"]], lambda c: "1" in c),
    Case("a list of primary keys", lambda s: s.find(**JOHN).intersect([1, 2]), [["SMISMEMBER"]]),
    Case(
        "a list of primary keys, sorted",
        lambda s: s.find(**JOHN).intersect([1, 2]).sort(by="birth_year"),
        transaction("SADD", "SINTERSTORE", "SORT", "UNLINK"),
    ),
    Case("an empty list", lambda s: s.find().intersect([]), []),
    Case("one of several values", lambda s: s.find(firstname__in=["John", "Susan"]), [["SUNION"]]),
    Case(
        "one of several values, and a filter",
        lambda s: s.find(firstname__in=["John", "Susan"], lastname="Doe"),
        transaction("SUNIONSTORE", "SINTER", "UNLINK"),
    ),
    Case(
        "one of several values, sorted",
        lambda s: s.find(firstname__in=["John", "Susan"]).sort(by="birth_year"),
        transaction("SUNIONSTORE", "SORT", "UNLINK"),
    ),
    Case("a range of numbers", lambda s: s.ranged.collection(age__gte=5, age__lt=7), [["ZRANGEBYSCORE"]]),
    Case("length, a range of numbers", lambda s: s.ranged.collection(age__gte=5), [["ZCOUNT"]], len),
    Case(
        "a range of numbers, and a filter",
        lambda s: s.ranged.collection(age__gte=5, city="Rome"),
        transaction("ZRANGESTORE", "ZINTER", "UNLINK"),
    ),
    Case(
        "a range of numbers, sorted, with values",
        lambda s: s.ranged.collection(age__gte=5).sort(by="age").values("pk", "city"),
        transaction("ZRANGESTORE", "SORT", "UNLINK"),
    ),
    Case("a range of texts", lambda s: s.ranged.collection(name__startswith="A"), [["ZRANGEBYLEX"]]),
    Case(
        "a range of texts, and a filter",
        lambda s: s.ranged.collection(name__startswith="A", city="Rome"),
        transaction("EVAL", "SINTER", "UNLINK"),
    ),
    Case(
        "a range of texts, and one of numbers, sorted, sliced",
        lambda s: s.ranged.collection(name__gte="A", age__lt=10).sort(by="age"),
        transaction("EVAL", "ZRANGESTORE", "ZINTERSTORE", "SORT", "UNLINK"),
        lambda c: c[0:10],
    ),
    Case("no value", lambda s: s.ranged.collection(name=None), [["SMEMBERS"]]),
    Case("any value", lambda s: s.ranged.collection(name__isnull=False), [["SDIFF"]]),
    Case("without some", lambda s: s.find(city="New York").exclude(**JOHN), [["SDIFF"]]),
    Case(
        "without a range, sorted",
        lambda s: s.ranged.collection().exclude(age__gte=7).sort(by="age"),
        transaction("ZRANGESTORE", "ZDIFFSTORE", "SORT", "UNLINK"),
    ),
    Case("one of two collections", lambda s: s.find(**JOHN) | s.find(city="Paris"), [["SUNION"]]),
    Case(
        "one of two collections, sorted, sliced",
        lambda s: (s.find(**DOE) | s.find(city="Paris")).sort(by="birth_year"),
        transaction("SINTERSTORE", "SUNIONSTORE", "SORT", "UNLINK"),
        lambda c: c[0:20],
    ),
    Case("both of two collections", lambda s: s.find(**JOHN) & s.find(lastname="Doe"), [["SINTER"]]),
    Case(
        "one collection without another, with a filter",
        lambda s: (s.find(**JOHN) - s.find(city="Paris")).filter(lastname="Doe"),
        transaction("SDIFFSTORE", "SINTER", "UNLINK"),
    ),
    Case("a SetField", lambda s: s.find(**JOHN).intersect(s.me.friends), [["SINTER"]]),
    Case("a SortedSetField", lambda s: s.find(**JOHN).intersect(s.me.met), [["ZINTER"]]),
    Case(
        "a SortedSetField, sorted",
        lambda s: s.find(**JOHN).intersect(s.me.met).sort(),
        transaction("ZINTERSTORE", "SORT", "UNLINK"),
    ),
    Case("a ListField", lambda s: s.find(**JOHN).intersect(s.me.history), [["LRANGE"], ["SMISMEMBER"]]),
    Case("the key of a set", lambda s: s.find(**JOHN).intersect(":user:me:friends"), [["TYPE"], ["SINTER"]]),
    Case(
        "the key of a list",
        lambda s: s.find(**JOHN).intersect(":user:me:history"),
        [["TYPE"], ["LRANGE"], ["SMISMEMBER"]],
        # What is under a key is not known: a set is shown.
        shown=[["TYPE"], ["SINTER"]],
    ),
    Case("a field as value", lambda s: s.find(city=s.me.city), [["HGET"], ["SMEMBERS"]]),
    Case("by the scores of a field", lambda s: s.find(**JOHN).sort(by_score=s.me.met), [["ZRANGE"], ["SORT"]]),
    Case(
        "by the scores of a key, with values",
        lambda s: s.find(**DOE).sort(by_score=":user:me:met").values("pk", SORTED_SCORE),
        [["ZRANGE"], *TWO],
        lambda c: c[0:5],
    ),
    Case("stored", lambda s: s.find().from_stored(s.stored), [["LRANGE"]]),
    Case(
        "stored, with values",
        lambda s: s.find().from_stored(s.stored).values("pk", "city"),
        [["LRANGE"], ["HGET", "HGET"]],
        # How many are stored is not known: one is shown.
        shown=[["LRANGE"], ["HGET"]],
    ),
    Case("several fields, by an index of them", lambda s: s.ranged.collection(team="a", city="Rome"), [["SMEMBERS"]]),
    Case("in the order of another field", lambda s: s.ranged.collection(team__ranked="a"), [["SORT"]]),
    Case(
        "in the order of another field, and a filter",
        lambda s: s.ranged.collection(team__ranked="a", city="Rome"),
        transaction("ZINTERSTORE", "SORT", "UNLINK"),
    ),
    Case(
        "the first, by numbers",
        lambda s: s.ranged.collection().sort("age"),
        [["ZRANGEBYSCORE"]],
        lambda c: c.after(None, 1),
    ),
    Case(
        "after a place, by numbers",
        lambda s: s.ranged.collection().sort("age"),
        [["ZRANGEBYSCORE", "ZRANGEBYSCORE"]],
        lambda c: c.after((5, 1), 1),
    ),
    Case(
        "after a place, by numbers, with values",
        lambda s: s.ranged.collection().sort("age").values("city"),
        [["ZRANGEBYSCORE", "ZRANGEBYSCORE"], ["HGET"]],
        lambda c: c.after((5, 1), 1),
    ),
    Case(
        "after a place, by texts",
        lambda s: s.ranged.collection().sort("name", alpha=True),
        [["ZRANGEBYLEX"]],
        lambda c: c.after(("A", 1), 1),
    ),
    Case(
        "the first by an index, with a filter",
        lambda s: s.ranged.collection(city="Rome").sort("age"),
        [["ZRANGEBYSCORE", "SCARD"], ["SMISMEMBER"]],
        lambda c: c.after(None, 1),
    ),
    Case("stored, instances", lambda s: s.find().from_stored(s.stored).instances(), [["LRANGE"], ["SMISMEMBER"]]),
    Case(
        "stored, filtered", lambda s: s.find().from_stored(s.stored).filter(city="Paris"), [["LRANGE"], ["SMISMEMBER"]]
    ),
    Case("text primary keys, sorted", lambda s: s.word.collection(kind="a").sort(), [["SORT"]]),
    Case("text primary keys, sliced", lambda s: s.word.collection(kind="a"), [["SORT"]], lambda c: c[0:1]),
    Case(
        "values of any kind",
        lambda s: s.people.user.collection().values("name", "friends", "history", "met"),
        [["SORT"], ["SMEMBERS", "LRANGE", "ZRANGE"]],
    ),
    Case(
        "values of objects referred to",
        lambda s: s.book.collection(kind="novel").values("title", "author__name", "author__born"),
        [["SORT"], ["HMGET"]],
    ),
    Case(
        "values two references away",
        lambda s: s.book.collection(kind="novel").values("title", "author__editor__name"),
        [["SORT"], ["GET"], ["HGET"]],
    ),
    Case(
        "values of many objects referred to",
        lambda s: s.book.collection(title="one").values("title", "editors__name"),
        [["SORT"], ["SMEMBERS"], ["HGET"]],
    ),
    Case(
        "values of those that refer",
        lambda s: s.author.collection().values("name", "books__title"),
        [["SORT"], ["SMEMBERS", "SMEMBERS"], ["HGET", "HGET"]],
        shown=[["SORT"], ["SMEMBERS"], ["HGET"]],
    ),
    Case(
        "instances, loaded",
        lambda s: s.book.collection(kind="novel", title="one").instances(load=("title", "tags", "author__name")),
        [*transaction("SINTERSTORE", "SORT", "UNLINK"), ["SMEMBERS", "HGET", "SMISMEMBER"]],
    ),
    Case(
        "a page of ten, with tags, author names and total",
        lambda s: s.book.collection(kind="novel").sort("title", alpha=True).values("title", "tags", "author__name"),
        [["SORT", "SCARD"], ["SMEMBERS", "SMEMBERS", "HGET"]],
        lambda c: c.page(0, 10),
    ),
    Case(
        "a page with total",
        lambda s: s.find(**JOHN).sort(by="birth_year"),
        [["SORT", "SCARD"]],
        lambda c: c.page(0, 20),
    ),
    Case(
        "a page of several filters, with total",
        lambda s: s.find(**DOE).sort(by="birth_year"),
        transaction("SINTERSTORE", "SORT", "SCARD", "UNLINK"),
        lambda c: c.page(0, 20),
    ),
    Case(
        "stored, with values of any kind",
        lambda s: s.people.user.collection().from_stored(s.users).values("name", "friends"),
        [["LRANGE"], ["HGET", "SMEMBERS"]],
    ),
    Case(
        "store", lambda s: s.find(**JOHN), [["SMEMBERS"], *transaction("DEL", "RPUSH", "EXPIRE")], lambda c: c.store()
    ),
]


@pytest.fixture
def stage(real: Real, proxy: Proxy) -> Iterator[Stage]:
    """The data, and the models by way of the proxy."""
    with RedisDatabase.from_url(proxy.url) as on:
        people = documented(on)

        word = words(on)
        word(key="b", kind="a")
        word(key="10", kind="a")
        me = current_user(people)
        stored = people.extended.collection(firstname="John").sort().store().stored_key
        users = people.user.collection().store().stored_key
        ranged = declared_ranged(on)
        ranged(name="Ann", age=5, city="Rome")
        ranged(age=7, city="Rome")
        book, author = declared_books(on)
        proxy.reset()
        yield Stage(people, me, word, stored, users, ranged, book, author)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_kind_of_query(proxy: Proxy, stage: Stage, case: Case) -> None:
    """It sends these commands in so many round trips, and nothing before it is looked at."""
    collection = case.make(stage)
    assert [] == proxy.seen
    case.look(collection)
    assert [name for trip in case.commands for name in trip] == [command[0].decode() for command in proxy.seen]
    assert len(case.commands) == proxy.round_trips()


EXPLAINED = [case for case in CASES if case.look is list]


@pytest.mark.parametrize("case", EXPLAINED, ids=[case.name for case in EXPLAINED])
def test_explain_tells_what_is_sent(proxy: Proxy, stage: Stage, case: Case) -> None:
    """``explain()`` sends nothing and shows the commands of iterating, round trip by round trip."""
    explanation = case.make(stage).explain()
    assert [] == proxy.seen
    expected = case.commands if case.shown is None else case.shown
    assert expected == [[call[0] for call in round_] for round_ in explanation.rounds]
    trips = len(expected)
    assert str(explanation).startswith(f"query: {trips} round trip{'' if trips == 1 else 's'}")


def test_the_calls_of_explain_are_those_sent(proxy: Proxy, stage: Stage) -> None:
    """Argument for argument, but for the random part of temporary keys."""
    collection = stage.find(**DOE).sort(by="-birth_year").values("pk", "city").intersect([1, 2])
    explained = [" ".join(call) for call in collection.explain().calls()]
    list(collection)
    sent = [b" ".join(command).decode() for command in proxy.seen]
    assert explained == [re.sub(r"tmp:[0-9a-f]+", "tmp:<random>", line) for line in sent]


def test_explain_prints_lines_like_a_plan(stage: Stage) -> None:
    """The printed form, whole."""
    assert str(stage.find(**DOE).sort(by="birth_year").explain()) == (
        "query: 1 round trip\n"
        "  MULTI\n"
        '  SINTERSTORE ":extended:__collection__:tmp:<random>" :extended:firstname:John :extended:lastname:Doe\n'
        '  SORT ":extended:__collection__:tmp:<random>" BY ":extended:*:hash->birth_year" '
        'GET "#" GET ":extended:*:hash->birth_year"\n'
        '  UNLINK ":extended:__collection__:tmp:<random>"\n'
        "  EXEC"
    )
    assert str(stage.ranged.collection(name__lt="1", city="Rome").explain()) == (
        "query: 1 round trip\n"
        "  MULTI\n"
        '  EVAL "<script>" 2 :ranged:name:text-range ":ranged:__collection__:tmp:<random>" :TEXT-RANGE-SEPARATOR: '
        'ZRANGEBYLEX 2 - "(1" "[:TEXT-RANGE-SEPARATOR:" "(:TEXT-RANGE-SEPARATOR;" lt 1\n'
        '  SINTER :ranged:city:Rome ":ranged:__collection__:tmp:<random>"\n'
        '  UNLINK ":ranged:__collection__:tmp:<random>"\n'
        "  EXEC"
    )
    assert "O(N)" in str(stage.word.collection().sort().explain())
    assert "O(N)" in str(stage.find().sort(by_score="key").explain())
    assert "O(N)" not in str(stage.word.collection().sort(alpha=True).explain())


@pytest.mark.parametrize("count", [1, 100, 3_000])
def test_round_trips_do_not_grow_with_what_is_found(proxy: Proxy, stage: Stage, count: int) -> None:
    """Values come in one, instances in two, of any number of objects."""
    extended = stage.people.extended
    with Session(extended.database) as session:
        for _ in range(count):
            extended(firstname="Max", city="Berlin")
        session.commit()
    for look, trips in ((lambda c: c.values(), 1), (lambda c: c.instances(), 2), (lambda c: c.instances().sort(), 2)):
        proxy.reset()
        assert count == len(list(look(stage.find(firstname="Max", city="Berlin"))))
        assert trips == proxy.round_trips()
    loaded = ("title", "tags", "author__name", "author__editor__name")
    with Session(stage.book.database) as session:
        for number in range(count):
            stage.book(title=f"{number}", kind="new", tags=["a"], author="2")
        session.commit()
    for look, trips in ((lambda c: c.values(*loaded), 3), (lambda c: c.instances(load=loaded), 3)):
        proxy.reset()
        assert count == len(list(look(stage.book.collection(kind="new"))))
        assert trips == proxy.round_trips()


@pytest.mark.parametrize(("kinds", "trips"), [(400, 1), (8, 1), (2, 2)])
def test_a_slice_fetches_everything_only_where_much_is_equal(
    proxy: Proxy, stage: Stage, kinds: int, trips: int
) -> None:
    """Where what is equal to the ends of the cut lies within a hundred around it, that is all that is fetched."""
    extended = stage.people.extended
    with Session(extended.database) as session:
        for number in range(400):
            extended(firstname="Max", birth_year=number % kinds)
        session.commit()
    for alpha in (False, True):
        proxy.reset()
        assert 10 == len(stage.find(firstname="Max").sort(by="birth_year", alpha=alpha)[150:160])
        assert trips == proxy.round_trips()
        assert ("LIMIT" in str(proxy.seen[-1])) == (trips == 1)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_session_that_did_not_touch_the_model_costs_nothing(proxy: Proxy, stage: Stage, case: Case) -> None:
    """With writes pending on other models a query sends what it sends without a session."""
    with Session(stage.people.extended.database, on_pending="discard"):
        stage.people.person("1").firstname.hset("other")
        proxy.reset()
        case.look(case.make(stage))
        assert [name for trip in case.commands for name in trip] == [command[0].decode() for command in proxy.seen]
        assert len(case.commands) == proxy.round_trips()


def test_a_session_asks_only_about_what_it_touched(proxy: Proxy, stage: Stage) -> None:
    """A query over pending writes fetches what the server finds, and the fields of the objects touched: two trips."""
    with Session(stage.people.extended.database, on_pending="discard"):
        stage.people.extended("3").firstname.hset("John")
        proxy.reset()
        assert ["3", "1", "2"] == stage.find(firstname="John").sort(by="birth_year")
        assert 3 >= proxy.round_trips()
        asked = {part for command in proxy.seen for part in command if re.match(rb":extended:\d+:hash$", part)}
        assert {b":extended:3:hash"} == asked


def test_the_documented_table_is_the_measured_one() -> None:
    """Each kind of query stands in docs/collections.md with these commands and this number of round trips."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]*) \| (\d+) \|", PAGE.read_text("utf-8"), re.M)
    documented_rows = {name.strip(): (re.findall(r"[A-Z]{3,}", commands), int(trips)) for name, commands, trips in rows}
    measured = {case.name: ([name for trip in case.commands for name in trip], len(case.commands)) for case in CASES}
    assert measured == documented_rows


PENDING: dict[str, Callable[[Stage], Any]] = {
    "sorted": lambda stage: stage.find(firstname="Zoe").sort(by="lastname", alpha=True),
    "unsorted": lambda stage: stage.find(firstname="Zoe", city="Paris"),
    "values": lambda stage: stage.find(firstname="Zoe").values("city", "lastname"),
    "another model": lambda stage: stage.word.collection().values("kind"),
    "counted": lambda stage: stage.find(firstname="Zoe").sort(by="birth_year").values_list("birth_year", flat=True),
}


@pytest.mark.parametrize("make", PENDING.values(), ids=PENDING)
def test_explain_tells_what_is_sent_over_pending_writes(
    proxy: Proxy, stage: Stage, make: Callable[[Stage], Any]
) -> None:
    """In a session that touched the model ``explain()`` shows what looking sends there, and sends nothing."""
    with Session(stage.people.extended.database, on_pending="discard") as s:
        stage.people.extended("1").firstname.hset("Zoe")
        proxy.reset()
        before = s.plan(symbolic=True)
        collection = make(stage)
        explained = [" ".join(call) for call in collection.explain().calls()]
        assert [] == proxy.seen
        list(collection)
        sent = [re.sub(r"tmp:[0-9a-f]+", "tmp:<random>", b" ".join(command).decode()) for command in proxy.seen]
        assert explained == sent
        assert before == s.plan(symbolic=True)


def test_explain_by_text_primary_keys(proxy: Proxy, stage: Stage) -> None:
    """Sorted by a field, with values or not, the calls shown are those sent, argument for argument."""
    for collection in (
        stage.word.collection().sort(by="kind", alpha=True),
        stage.word.collection().values("kind"),
        stage.word.collection().sort("pk").values("kind"),
        stage.find(city="New York").sort(by_score=stage.me.met).values("lastname"),
    ):
        explained = [" ".join(call) for call in collection.explain().calls()]
        proxy.reset()
        list(collection)
        sent = [re.sub(r"tmp:[0-9a-f]+", "tmp:<random>", b" ".join(command).decode()) for command in proxy.seen]
        assert explained == sent


def test_a_user_with_rights_on_its_own_keys_gets_pages(real: Real) -> None:
    """Slices and sorts by primary key ask for no pattern, which Redis refuses to such a user."""
    admin = real.client()
    admin.execute_command("ACL", "SETUSER", "app", "reset", "on", ">secret", "+@all", "~app:*")
    try:
        with RedisDatabase.from_url(real.server.url, username="app", password="secret") as on:

            class Shop(RedisModel):
                database, namespace = on, "app"
                city = InstanceHashField(indexable=True)

            for city in ("Oslo", "Bergen", "Oslo"):
                Shop(city=city)
            assert ["1", "2"] == Shop.collection()[:2]
            assert ["3", "1"] == Shop.collection(city="Oslo").sort("-pk")
            assert {"1", "3"} == set(Shop.collection(city="Oslo"))
            # BY and GET are refused; what they would give is read key by key.
            by_city = Shop.collection().sort("city", alpha=True)
            assert (["2", "1"], ["Bergen", "Oslo"]) == (by_city[:2], by_city.copy().values_list("city", flat=True)[:2])
            assert [{"pk": "2", "city": "Bergen"}] == list(Shop.collection(city="Bergen").values("pk", "city"))
            with Session(on) as session:
                Shop(city="Aal")
                assert ["4", "2"] == by_city[:2]
                session.commit()
    finally:
        admin.execute_command("ACL", "DELUSER", "app")
