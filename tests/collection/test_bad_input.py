"""What a collection cannot do is refused when it is said, with the way out."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.models import People, documented, groups, things
from tests.tools.backends import Backend
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    ImplementationError,
    Rejected,
)
from uowredis.contrib.collection import SORTED_SCORE


@pytest.fixture
def people(server: Backend) -> People:
    """The documented models with their data."""
    return documented(server.database())


@pytest.fixture
def thing(server: Backend) -> Any:
    """A model with fields of every kind, with and without index, and thing 1."""
    thing = things(server.database())
    thing(indexed_entry="one", string="text", indexed_set=["a"], indexed_headers={"from": "me"})
    return thing


#: The fields with one value, as they are told.
SINGLE = "pk, string, entry, indexed_string, indexed_entry, code, serial"


def refused(do: Callable[[], Any], error: type[Exception], *words: str) -> None:
    """Check that *do* raises *error* with all *words* in its message."""
    with pytest.raises(error) as raised:
        pytest.fail(f"it gave {do()!r}")
    assert [] == [word for word in words if word not in str(raised.value)]


def test_filters(thing: Any) -> None:
    """A field that is not there, or has no index, is refused by name when it is said, with the way out."""
    refused(lambda: thing.collection(nothing=1), ImplementationError, "Thing", "'nothing'", "indexed_entry")
    refused(lambda: thing.collection(string="text"), ImplementationError, "Thing.string", "indexable=True")
    refused(lambda: thing.collection(string="text"), ValueError, "Thing.string", "indexable=True")
    refused(lambda: thing.collection().filter(nothing=1), ImplementationError, "'nothing'")
    refused(lambda: thing.collection().filter(string="text"), ImplementationError, "Thing.string", "indexable=True")
    refused(lambda: thing.collection(indexed_headers="me"), ImplementationError, "indexed_headers__entry")
    refused(lambda: thing.collection(indexed_headers__="me"), ImplementationError, "indexed_headers__entry")
    refused(lambda: thing.collection(indexed_entry__from="me"), ImplementationError, "'indexed_entry__from'")


def test_filters_of_other_mappers(thing: Any) -> None:
    """What no index of the field answers is refused with a way out that works, with an index or without."""
    find = thing.collection
    refused(lambda: find(string__gt=3), ImplementationError, "'string__gt'", "no index", "NumberRangeIndex", "rebuild")
    refused(lambda: find().filter(indexed_entry__lte=3), ImplementationError, "indexed_entry__in=", "NumberRangeIndex")
    refused(lambda: find(string__in=["a"]), ImplementationError, "'string__in'", "indexable=True on Thing.string")
    refused(lambda: find(indexed_entry__startswith="o"), ImplementationError, "TextRangeIndex", "Thing.indexed_entry")
    refused(lambda: find(indexed_entry__like="o"), ImplementationError, "Way out: indexed_entry=, indexed_entry__eq=")
    refused(lambda: find(indexed_set__gt=1), ImplementationError, "indexed_set__in=", "TextRangeIndex")
    refused(lambda: find(indexed_entry__isnull=True), ImplementationError, "none=True on Thing.indexed_entry")
    refused(lambda: find(pk__gt=1), ImplementationError, "'pk__gt'", "pk=... for one", "pk__in=[...]")
    assert ["1"] == find(indexed_entry="one") == find(indexed_entry__eq="one") == find(indexed_entry__in=["one", "2"])
    assert ["1"] == find(pk__in=[1, 7])


@pytest.mark.parametrize("several", ["one", b"one", 1, None, {"one": 1}, iter(["one"])])
def test_several_values_are_a_list_tuple_or_set(thing: Any, several: Any) -> None:
    """A text is one value and no list of characters; an iterator would be gone after one look."""
    for name in ("indexed_entry__in", "pk__in"):
        refused(lambda: thing.collection(**{name: several}), ArgumentTypeError, f"Thing.{name}", "list, tuple or set")  # noqa: B023
    refused(lambda: thing.collection(indexed_entry__in=[thing("1").string]), ArgumentTypeError, "read it first")
    refused(lambda: thing.collection(indexed_entry__in=[["one"]]), ArgumentTypeError, "Thing.indexed_entry__in")


def test_filters_do_not_follow_references(server: Backend) -> None:
    """The way out asks twice."""
    here = groups(server.database())
    refused(lambda: here.group.collection(entry__name="Ann"), ImplementationError, "'entry__name'", "entry__in=[...]")
    ann = here.person(name="Ann")
    group = here.group(entry=ann)
    (found,) = here.person.collection(name="Ann").instances()
    assert [group.pk.get()] == here.group.collection(entry=found) == here.group.collection(entry__in=[found])


@pytest.mark.parametrize("value", [None, True, ["one"], {"a": 1}, object()])
def test_values_of_filters(thing: Any, value: Any) -> None:
    """What Redis has no spelling for is no value; the message names the field."""
    refused(lambda: thing.collection(indexed_entry=value), ArgumentTypeError, "Thing.indexed_entry")
    refused(lambda: thing.collection().filter(indexed_set=value), ArgumentTypeError, "Thing.indexed_set")
    refused(lambda: thing.collection(indexed_headers__from=value), ArgumentTypeError, "indexed_headers__from")
    refused(lambda: thing.collection(pk=value), ArgumentTypeError, "primary key", "Thing")


def test_fields_as_values(thing: Any, people: People) -> None:
    """A field on the right side has one value and belongs to an instance."""
    one = thing("1")
    refused(
        lambda: thing.collection(indexed_entry=one.indexed_set), ArgumentTypeError, "Thing.indexed_entry", "one value"
    )
    refused(lambda: thing.collection(indexed_entry=thing.string), ArgumentTypeError, "Thing.indexed_entry")
    refused(lambda: thing.collection(string=one.string), ImplementationError, "indexable=True")
    refused(lambda: people.person.collection(firstname=one.indexed_set), ArgumentTypeError, "Person.firstname")


def test_a_refused_filter_changes_nothing(thing: Any) -> None:
    """A collection that refused something is as it was."""
    collection = thing.collection()
    for refuse in (lambda: collection.filter(indexed_entry="other", string="x"), lambda: collection.intersect([], 5)):
        refused(refuse, ValueError)
        assert ["1"] == collection


@pytest.mark.parametrize("given", [5, 1.5, None, True, object(), b"key", {"1": 2}, iter(["1"])])
def test_what_cannot_be_intersected(thing: Any, given: Any) -> None:
    """Lists, sets, tuples, keys and fields can; nothing else."""
    refused(lambda: thing.collection().intersect(given), ArgumentTypeError, "intersect()", "lists, sets, tuples, keys")


def test_unbound_and_single_fields_in_intersect(thing: Any) -> None:
    """A field in ``intersect`` belongs to an instance and has many values."""
    refused(lambda: thing.collection().intersect(thing.indexed_set), ImplementationError, "instance.indexed_set")
    refused(lambda: thing.collection().intersect(thing("1").indexed_entry), ArgumentTypeError, "many values")
    refused(lambda: thing.collection().intersect(thing("1").indexed_headers), ArgumentTypeError, "many values")


@pytest.mark.parametrize("item", [None, True, ["1"], object()])
def test_what_is_no_primary_key_in_a_list(thing: Any, item: Any) -> None:
    """The items of a list are primary keys or instances."""
    refused(lambda: thing.collection().intersect(["1", item]), ArgumentTypeError, "primary key", "intersect()")


def test_a_key_of_another_type_in_intersect(server: Backend, thing: Any) -> None:
    """A key that holds text or a hash is told by name and type when the collection runs."""
    client = server.client()
    client.set("text", "1")
    client.hset("hash", "1", "1")
    refused(lambda: list(thing.collection().intersect("text")), ArgumentTypeError, "'text'", "string")
    refused(lambda: list(thing.collection().intersect("hash")), ArgumentTypeError, "'hash'")


def test_sort(thing: Any) -> None:
    """By the name of a field with one value; what is not one is refused with those that are."""
    refused(lambda: thing.collection().sort(by="nothing"), ImplementationError, "Thing", "'nothing'", SINGLE)
    refused(lambda: thing.collection().sort(by="-nothing"), ImplementationError, "'nothing'")
    refused(lambda: thing.collection().sort(by="indexed_set"), ImplementationError, "'indexed_set'", SINGLE)
    refused(lambda: thing.collection().sort(by="indexed_headers"), ImplementationError, "'indexed_headers'")
    refused(lambda: thing.collection().sort(by=thing.indexed_set), ImplementationError, "'indexed_set'")
    refused(lambda: thing.collection().sort(by=5), ArgumentTypeError, "sort(by=...)", "int")
    refused(lambda: thing.collection().sort(by={"indexed_entry"}), ArgumentTypeError, "sort(by=...)", "set")
    refused(lambda: thing.collection().sort(by=["indexed_entry", 5]), ArgumentTypeError, "sort(by=...)", "int")
    refused(lambda: thing.collection().sort(alpha="yes"), ArgumentTypeError, "alpha")
    refused(lambda: thing.collection().sort(desc=1), ArgumentTypeError, "desc")


def test_fields_of_other_models(people: People) -> None:
    """A field of another model would name one of this model, or none, by chance."""
    refused(lambda: people.extended.collection().sort(by=people.user.city), ImplementationError, "User")
    refused(lambda: people.extended.collection().values(people.user.city), ImplementationError, "User")


def test_sort_by_score(thing: Any, people: People) -> None:
    """By a sorted set of an instance, or its key; not together with a field."""
    me = people.user(login="me", met={"1": 1})
    refused(
        lambda: thing.collection().sort(by="indexed_entry", by_score="key"), ArgumentError, "by or by_score, not both"
    )
    refused(lambda: thing.collection().sort(by_score=5), ArgumentTypeError, "by_score")
    refused(lambda: thing.collection().sort(by_score={"1": 2}), ArgumentTypeError, "by_score")
    refused(lambda: thing.collection().sort(by_score=people.user.met), ArgumentTypeError, "by_score", "instance")
    refused(lambda: thing.collection().sort(by_score=me.friends), ArgumentTypeError, "by_score", "SortedSetField")


def test_sort_by_the_scores_of_no_sorted_set(server: Backend, thing: Any) -> None:
    """A key of another type is named."""
    server.client().set("text", "1")
    refused(lambda: list(thing.collection().sort(by_score="text")), Rejected, "text")


def test_values(thing: Any) -> None:
    """Names of fields; what is none is refused with those that there are."""
    for shape in (thing.collection().values, thing.collection().values_list):
        refused(partial(shape, "nothing"), ImplementationError, "'nothing'", "pk, string, entry, headers, set, list")
        refused(partial(shape, "indexed_entry", "indexed_set__a"), ImplementationError, "'indexed_set__a'")
        refused(partial(shape, 5), ArgumentTypeError, "5")


def test_a_score_without_a_sort_by_scores(thing: Any) -> None:
    """``SORTED_SCORE`` needs one."""
    refused(lambda: list(thing.collection().values(SORTED_SCORE)), ImplementationError, "sort(by_score=...)")
    refused(lambda: list(thing.collection().sort().values(SORTED_SCORE)), ImplementationError, "sort(by_score=...)")


def test_flat(thing: Any) -> None:
    """One value in place of a tuple takes exactly one field."""
    refused(
        lambda: thing.collection().values_list("pk", "indexed_entry", flat=True),
        ArgumentError,
        "exactly one field, not 2",
    )
    refused(lambda: thing.collection().values_list(flat=True), ArgumentError, "exactly one field, not 0")
    refused(lambda: thing.collection().values_list("pk", flat="yes"), ArgumentTypeError, "flat")


@pytest.mark.parametrize("look", [list, lambda c: c[0:2], lambda c: c[0], lambda c: list(c.values("indexed_entry"))])
@pytest.mark.parametrize("filters", [{}, {"indexed_entry": "one"}, {"indexed_entry": "one", "indexed_set": "a"}])
def test_sorting_text_as_numbers(server: Backend, thing: Any, filters: dict[str, str], look: Any) -> None:
    """Redis sorts numbers; text is refused with ``alpha=True`` as the way out, and no temporary key stays."""
    thing(indexed_entry="one", string="more text", indexed_set=["a"])
    before = server.dump()
    refused(lambda: look(thing.collection(**filters).sort(by="string")), Rejected, "alpha=True")
    assert before == server.dump()
    assert ["2", "1"] == thing.collection(**filters).sort(by="string", alpha=True)


@pytest.mark.parametrize("index", ["1", 1.5, None, (1, 2), True])
def test_items_are_asked_for_by_integers(thing: Any, index: Any) -> None:
    """And slices, as with a list."""
    refused(lambda: thing.collection()[index], TypeError)


@pytest.mark.parametrize("wanted", [slice("a", None), slice(None, 1.5), slice(None, None, "x")])
def test_slices_are_of_integers(thing: Any, wanted: slice) -> None:
    """As with a list."""
    refused(lambda: thing.collection()[wanted], TypeError)


def test_a_manager_is_a_class_of_collections(thing: Any) -> None:
    """Anything else is refused with what to give."""
    refused(lambda: thing.collection(manager=list), ImplementationError, "CollectionManager")
    refused(lambda: thing.collection(manager="Extended"), ImplementationError, "CollectionManager")
