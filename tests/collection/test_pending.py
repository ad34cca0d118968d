"""Collections in a session with pending writes: rule by rule what the walks of queries compare at random."""

from typing import Any

import pytest

from tests.architecture import lines
from tests.models import People, current_user, documented, products, things, words
from tests.tools.backends import Backend, Real
from tests.tools.monitor import Monitor
from tests.tools.servers import RealServer
from uowredis import (
    DoesNotExist,
    PendingWrites,
    Rejected,
    Session,
)
from uowredis.contrib.collection import SORTED_SCORE


@pytest.fixture
def people(server: Backend) -> People:
    """The documented models with their data."""
    return documented(server.database())


def test_created_changed_and_deleted_objects(server: Backend, people: People) -> None:
    """Each is judged on its values to be; the server is sent nothing of it."""
    extended = people.extended
    before = server.dump()
    with Session(extended.database, on_pending="discard"):
        max_ = extended(firstname="Max", lastname="Doe", birth_year=1955, city="Paris")
        extended("1").lastname.hset("Doe")
        extended("2").lastname.hset("Smith")
        extended("4").delete()
        pk = max_.pk.get()
        assert {"1", pk} == set(extended.collection(lastname="Doe"))
        assert [pk, "1"] == extended.collection(lastname="Doe").sort(by="birth_year")
        assert ["3", pk, "1", "2"] == extended.collection().sort(by="birth_year")
        assert ["2", "1"] == extended.collection().sort(by="-birth_year")[:2]
        assert 4 == len(extended.collection())
        assert [("Max", "Doe")] == extended.collection(city="Paris").values_list("firstname", "lastname")
        assert [{"lastname": "Doe"}] == extended.collection(pk=1).values("lastname")
        assert [max_, extended("1")] == extended.collection(lastname="Doe").instances().sort(by="birth_year")
        assert "4" not in extended.collection()
        assert "1" not in extended.collection(lastname="Smith")
        assert max_ in extended.collection(lastname="Doe")
        assert {"1"} == set(extended.collection(lastname="Doe").intersect([1, 2, 4]))
        changed = {key: value for key, value in server.dump().items() if before.get(key) != value}
        # Counting up is all that listing a new object does.
        assert {b":extended:max_pk"} == set(changed)
    assert {"2", "4"} == set(extended.collection(lastname="Doe"))


def test_in_a_dry_run_each_new_object_is_found_when_it_was_made(people: People) -> None:
    """By what stands for its primary key, also where others were asked for before it was said."""
    extended = people.extended
    made = []
    with Session(extended.database, dry_run=True, on_pending="discard"):
        for city in ("Rome", "Oslo", "Bonn"):
            made.append(extended(firstname="Max", city=city))
            assert [made[-1]] == extended.collection(city=city).instances()
        assert made == extended.collection(firstname="Max").instances().sort(by="-city", alpha=True)[:]


def test_chosen_primary_keys(server: Backend) -> None:
    """Objects with a chosen pk are found before their commit; one deleted and created again counts as it will be."""
    word = words(server.database())
    word(key="b", kind="noun")
    word(key="10", kind="noun")
    with Session(word.database, on_pending="discard"):
        word(key="a", kind="noun")
        word("b").delete()
        assert ["10", "a"] == word.collection(kind="noun").sort()
        word(key="b", kind="verb")
        assert ["10", "a"] == word.collection(kind="noun").sort()
        assert ["10", "a", "b"] == word.collection()[:]
        assert ["b", "a"] == word.collection().sort(desc=True)[:2]
        assert ["b"] == word.collection(kind="verb")
        assert [("b", "verb", None, None, None)] == word.collection(kind="verb").values_list()
        assert ["b"] == [one.pk.get() for one in word.collection(kind="verb").instances()]


def test_changes_that_need_what_was_there(server: Backend) -> None:
    """Additions, sums and removals are tried on what is stored: an object is found by the result, and by it alone."""
    thing = things(server.database())
    thing(
        indexed_string="a", indexed_entry=1, indexed_list=["x", "y", "x"], indexed_set=["red"], indexed_headers={"e": 1}
    )
    thing(indexed_string="b", indexed_entry=2, indexed_list=["y"], indexed_set=["red"], indexed_headers={"e": 2})
    with Session(thing.database, on_pending="discard"):
        item = thing("1")
        item.indexed_string.append("b")
        item.indexed_entry.hincrby(1)
        item.indexed_list.lpop()
        item.indexed_list.lpop()
        item.indexed_set.spop()
        item.indexed_headers.hincrby("e", 1)
        assert ["1"] == thing.collection(indexed_string="ab")
        assert [] == thing.collection(indexed_string="a")
        assert {"1", "2"} == thing.collection(indexed_entry=2)
        assert [] == thing.collection(indexed_entry=1)
        assert ["1"] == thing.collection(indexed_list="x")
        assert ["2"] == thing.collection(indexed_list="y")
        assert ["2"] == thing.collection(indexed_set="red")
        assert {"1", "2"} == thing.collection(indexed_headers__e=2)
        assert ["1"] == thing.collection(indexed_headers__e=2, indexed_string="ab", indexed_entry=2, indexed_list="x")


def test_lists_with_pending_members(people: People) -> None:
    """A field in ``intersect`` or ``by_score`` is what it will be; so is a field that is a filter's value."""
    me, extended = current_user(people), people.extended
    with Session(extended.database, on_pending="discard"):
        me.friends.srem("1")
        me.friends.sadd("3")
        me.history.rpush("3")
        me.met.zadd({"3": 1970})
        me.city.hset("Paris")
        assert {"2", "3", "4"} == set(extended.collection().intersect(me.friends))
        assert {"3"} == set(extended.collection(lastname="Smith").intersect(me.history))
        assert [("3", "1970"), ("2", "1980")] == (
            extended.collection(city="New York")
            .intersect(me.met, [2, 3])
            .sort(by_score=me.met)
            .values_list("pk", SORTED_SCORE)
        )
        assert {"4"} == set(extended.collection(city=me.city))


@pytest.mark.parametrize("score", [0, 0.1, -2.5, 1e20, 1e-7, 12345678901234567890, float("inf"), float("-inf")])
def test_scores_read_the_same_before_and_after_the_commit(people: People, score: float) -> None:
    """``SORTED_SCORE`` of a pending score is the text that Redis will give."""
    me, extended = current_user(people), people.extended
    with Session(extended.database) as session:
        me.met.zadd({"1": score})
        collection = extended.collection(pk=1).sort(by_score=me.met).values_list(SORTED_SCORE, flat=True)
        before = list(collection)
        session.commit()
        assert before == list(collection)


def test_storing_over_pending_writes(server: Backend, people: People) -> None:
    """What is stored must be exact for others, too: it raises while the model has pending writes."""
    extended = people.extended
    before = server.dump()
    with Session(extended.database, on_pending="discard") as session:
        extended("1").firstname.hset("Jack")
        with pytest.raises(PendingWrites, match=r"store\(\)"):
            extended.collection(firstname="John").store()
        assert before == server.dump()
        session.rollback()
        assert ["1", "2"] == extended.collection(firstname="John").sort().store()


@pytest.mark.parametrize("where", ["intersect", "filter", "score"])
def test_storing_what_stands_on_pending_writes(server: Backend, people: People, where: str) -> None:
    """Nor may it hold what another model's field will be: after a rollback the stored list would be wrong."""
    me, extended = current_user(people), people.extended
    before = server.dump()
    with Session(extended.database, on_pending="discard"):
        if where == "intersect":
            me.friends.sadd("3")
            collection = extended.collection().intersect(me.friends)
        elif where == "filter":
            me.city.hset("Paris")
            collection = extended.collection(city=me.city)
        else:
            me.met.zadd({"3": 1970})
            collection = extended.collection().sort(by_score=me.met)
        with pytest.raises(PendingWrites):
            collection.store()
    assert before == server.dump()


def test_a_stored_collection_is_read_over_pending_writes(people: People) -> None:
    """No session changes a stored list; values over it, and filters, are as they will be."""
    extended = people.extended
    stored = extended.collection().sort(by="-birth_year").store()
    with Session(extended.database, on_pending="discard"):
        extended("1").lastname.hset("Changed")
        extended("2").delete()
        assert ["2", "4", "1", "3"] == stored
        assert ["Changed"] == stored.copy().values_list("lastname", flat=True)[2:3]
        assert {"1"} == set(stored.copy().filter(lastname="Changed"))
        assert [extended("4"), extended("1"), extended("3")] == stored.copy().instances()


def test_a_raw_key_that_the_session_changes(server: Backend, people: People) -> None:
    """A key is not known to be a field: while the session changes it the answer is refused, before and after not."""
    me, extended = current_user(people), people.extended
    collection = extended.collection().intersect(":user:me:friends")
    scored = extended.collection().sort(by_score=":user:me:met")
    with Session(extended.database) as session:
        assert {"1", "2", "4"} == set(collection)
        me.friends.sadd("3")
        me.met.zadd({"3": 1})
        for refused in (collection, scored):
            with pytest.raises(PendingWrites, match=":user:me"):
                list(refused)
        session.commit()
        assert {"1", "2", "3", "4"} == set(collection)
        assert ["3", "2", "1", "4"] == scored


def test_a_raw_key_that_the_session_does_not_change(server: Backend, people: People) -> None:
    """Any other key is read as it is, also when the model has pending writes."""
    extended = people.extended
    server.client().sadd("some:key", "1", "5")
    with Session(extended.database, on_pending="discard"):
        jack = extended(firstname="Jack")
        assert "5" == jack.pk.get()
        extended("1").firstname.hset("Jack")
        assert {"1", "5"} == set(extended.collection(firstname="Jack").intersect("some:key"))


def test_what_only_the_server_knows(server: Backend) -> None:
    """A query on a field with a pending float increment is refused, or right; others are not concerned."""
    product = products(server.database())
    product(kind="0.1", color="red")
    product(kind="0.3", color="blue")
    with Session(product.database) as session:
        product("1").kind.hincrbyfloat("0.2")
        assert {"1"} == set(product.collection(color="red"))
        try:
            found: Any = set(product.collection(kind="0.3"))
        except PendingWrites as error:
            found = error
        session.commit()
    after = set(product.collection(kind="0.3"))
    assert {"1", "2"} == after
    assert isinstance(found, PendingWrites) or found == after


NUMBERS = ["10", "-1", "", "1e3", "+5", ".5", "5.", " 7", "0x10", "inf", "-inf"]
NO_NUMBERS = ["1_0", "7 ", "nan", "x", "1e", "--1", "\u0661"]


def ranked(real: Real, value: str) -> tuple[Any, Any]:
    """Return what a numeric sort says of three objects, one with *value*: before the commit of it, and after."""
    product = products(real.database())
    for rank in ("3", "-200", "200"):
        product(price=rank)
    answers: list[Any] = []
    with Session(product.database) as session:
        product("1").price.hset(value)
        for _ in range(2):
            try:
                answers.append(list(product.collection().sort(by="price")))
            except Rejected as error:
                answers.append("alpha=True" in str(error))
            if session.pending:
                session.commit()
    return answers[0], answers[1]


@pytest.mark.parametrize("value", NUMBERS)
def test_numbers_as_redis_reads_them(real: Real, value: str) -> None:
    """What SORT takes for a number is one before the commit, too."""
    before, after = ranked(real, value)
    assert list is type(after)
    assert after == before


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_redis_does_not_read_as_a_number(real: Real, value: str) -> None:
    """What SORT refuses is refused before the commit, too, with the same way out."""
    before, after = ranked(real, value)
    assert (True, True) == (before, after)


def test_only_the_fields_of_the_query_count(real: Real, real_server: RealServer) -> None:
    """Objects changed in other fields are not judged anew: the query costs what concerns it."""
    people = documented(real.database())
    extended = people.extended
    with Session(extended.database, on_pending="discard"):
        for pk in "1234":
            extended(pk).birth_year.hset(1900)
        with Monitor(real_server) as seen:
            assert {"1", "2"} == set(extended.collection(firstname="John"))
        assert [b"SMEMBERS"] == [command[0] for command in seen]
        with Monitor(real_server) as seen:
            assert 2 == len(extended.collection(firstname="John"))
        assert [b"SMEMBERS"] == [command[0] for command in seen]


def test_rolling_back_forgets_it(people: People) -> None:
    """After a rollback a collection answers as the server does."""
    extended = people.extended
    with Session(extended.database) as session:
        extended("1").firstname.hset("Jack")
        assert {"2"} == set(extended.collection(firstname="John"))
        session.rollback()
        assert {"1", "2"} == set(extended.collection(firstname="John"))


def test_what_is_pending_on_another_model_costs_a_query_nothing(people: People) -> None:
    """A query, a look-up and a read run as many lines with a thousand objects of another model pending as with none."""
    extended = people.extended

    def absent() -> None:
        with pytest.raises(DoesNotExist):
            extended("77")

    def steps() -> list[int]:
        asked = (
            lambda: list(extended.collection(firstname="John")),
            lambda: extended.exists(firstname="John"),
            lambda: extended("1"),
            lambda: extended.exists("77"),
            absent,
        )
        return [lines(ask) for ask in asked]

    with Session(extended.database, on_pending="discard"):
        people.person(firstname="John")
        steps()  # what is made once, at the first question
        before = steps()
        for _ in range(1_000):
            people.person(firstname="John")
        steps()  # what was said since is taken note of once
        assert before == steps()
