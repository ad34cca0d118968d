"""What a collection cannot do is refused when it is said, with the way out."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.collection.people import People, documented
from tests.tools.backends import Backend
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    HashField,
    ImplementationError,
    InstanceHashField,
    RedisModel,
    Rejected,
    SetField,
    StringField,
)
from uowredis.collection import CollectionManager
from uowredis.contrib.collection import SORTED_SCORE, ExtendedCollectionManager


@pytest.fixture
def people(server: Backend) -> People:
    """The documented models with their data."""
    return documented(server.database())


@pytest.fixture
def mixed(server: Backend) -> Any:
    """A model with fields of several kinds, with and without index."""
    on = server.database()

    class Mixed(RedisModel):
        database = on
        collection_manager = ExtendedCollectionManager
        name = InstanceHashField(indexable=True)
        note = StringField()
        tags = SetField(indexable=True)
        headers = HashField(indexable=True)

    Mixed(name="one", note="text", tags=["a"], headers={"from": "me"})
    return Mixed


def refused(do: Callable[[], Any], error: type[Exception], *words: str) -> None:
    """Check that *do* raises *error* with all *words* in its message."""
    with pytest.raises(error) as raised:
        pytest.fail(f"it gave {do()!r}")
    assert [] == [word for word in words if word not in str(raised.value)]


def test_filters(mixed: Any) -> None:
    """A field that is not there, or has no index, is refused by name when it is said, with the way out."""
    refused(lambda: mixed.collection(nothing=1), ImplementationError, "Mixed", "'nothing'", "name")
    refused(lambda: mixed.collection(note="text"), ImplementationError, "Mixed.note", "indexable=True")
    refused(lambda: mixed.collection(note="text"), ValueError, "Mixed.note", "indexable=True")
    refused(lambda: mixed.collection().filter(nothing=1), ImplementationError, "'nothing'")
    refused(lambda: mixed.collection().filter(note="text"), ImplementationError, "Mixed.note", "indexable=True")
    refused(lambda: mixed.collection(headers="me"), ImplementationError, "headers__entry")
    refused(lambda: mixed.collection(headers__="me"), ImplementationError, "headers__entry")
    refused(lambda: mixed.collection(name__from="me"), ImplementationError, "'name__from'")


@pytest.mark.parametrize("value", [None, True, ["one"], {"a": 1}, object()])
def test_values_of_filters(mixed: Any, value: Any) -> None:
    """What Redis has no spelling for is no value; the message names the field."""
    refused(lambda: mixed.collection(name=value), ArgumentTypeError, "Mixed.name")
    refused(lambda: mixed.collection().filter(tags=value), ArgumentTypeError, "Mixed.tags")
    refused(lambda: mixed.collection(headers__from=value), ArgumentTypeError, "headers__from")
    refused(lambda: mixed.collection(pk=value), ArgumentTypeError, "primary key", "Mixed")


def test_fields_as_values(mixed: Any, people: People) -> None:
    """A field on the right side has one value and belongs to an instance."""
    one = mixed("1")
    refused(lambda: mixed.collection(name=one.tags), ArgumentTypeError, "Mixed.name", "one value")
    refused(lambda: mixed.collection(name=mixed.note), ArgumentTypeError, "Mixed.name")
    refused(lambda: mixed.collection(note=one.note), ImplementationError, "indexable=True")
    refused(lambda: people.person.collection(firstname=one.tags), ArgumentTypeError, "Person.firstname")


def test_a_refused_filter_changes_nothing(mixed: Any) -> None:
    """A collection that refused something is as it was."""
    collection = mixed.collection()
    for refuse in (lambda: collection.filter(name="other", note="x"), lambda: collection.intersect([], 5)):
        refused(refuse, ValueError)
        assert ["1"] == collection


@pytest.mark.parametrize("given", [5, 1.5, None, True, object(), b"key", {"1": 2}, iter(["1"])])
def test_what_cannot_be_intersected(mixed: Any, given: Any) -> None:
    """Lists, sets, tuples, keys and fields can; nothing else."""
    refused(lambda: mixed.collection().intersect(given), ArgumentTypeError, "intersect()", "lists, sets, tuples, keys")


def test_unbound_and_single_fields_in_intersect(mixed: Any) -> None:
    """A field in ``intersect`` belongs to an instance and has many values."""
    refused(lambda: mixed.collection().intersect(mixed.tags), ImplementationError, "instance.tags")
    refused(lambda: mixed.collection().intersect(mixed("1").name), ArgumentTypeError, "many values")
    refused(lambda: mixed.collection().intersect(mixed("1").headers), ArgumentTypeError, "many values")


@pytest.mark.parametrize("item", [None, True, ["1"], object()])
def test_what_is_no_primary_key_in_a_list(mixed: Any, item: Any) -> None:
    """The items of a list are primary keys or instances."""
    refused(lambda: mixed.collection().intersect(["1", item]), ArgumentTypeError, "primary key", "intersect()")


def test_a_key_of_another_type_in_intersect(server: Backend, mixed: Any) -> None:
    """A key that holds text or a hash is told by name and type when the collection runs."""
    client = server.client()
    client.set("text", "1")
    client.hset("hash", "1", "1")
    refused(lambda: list(mixed.collection().intersect("text")), ArgumentTypeError, "'text'", "string")
    refused(lambda: list(mixed.collection().intersect("hash")), ArgumentTypeError, "'hash'")


def test_sort(mixed: Any) -> None:
    """By the name of a field with one value; what is not one is refused with those that are."""
    refused(lambda: mixed.collection().sort(by="nothing"), ImplementationError, "Mixed", "'nothing'", "pk, name, note")
    refused(lambda: mixed.collection().sort(by="-nothing"), ImplementationError, "'nothing'")
    refused(lambda: mixed.collection().sort(by="tags"), ImplementationError, "'tags'", "pk, name, note")
    refused(lambda: mixed.collection().sort(by="headers"), ImplementationError, "'headers'")
    refused(lambda: mixed.collection().sort(by=mixed.tags), ImplementationError, "'tags'")
    refused(lambda: mixed.collection().sort(by=5), ArgumentTypeError, "sort(by=...)", "int")
    refused(lambda: mixed.collection().sort(by=["name"]), ArgumentTypeError, "sort(by=...)", "list")
    refused(lambda: mixed.collection().sort(alpha="yes"), ArgumentTypeError, "alpha")
    refused(lambda: mixed.collection().sort(desc=1), ArgumentTypeError, "desc")
    refused(lambda: mixed.collection(manager=CollectionManager).sort(by=mixed.name), ArgumentTypeError, "sort(by=...)")


def test_fields_of_other_models(people: People) -> None:
    """A field of another model would name one of this model, or none, by chance."""
    refused(lambda: people.extended.collection().sort(by=people.user.city), ImplementationError, "User")
    refused(lambda: people.extended.collection().values(people.user.city), ImplementationError, "User")


def test_sort_by_score(mixed: Any, people: People) -> None:
    """By a sorted set of an instance, or its key; not together with a field."""
    me = people.user(login="me", met={"1": 1})
    refused(lambda: mixed.collection().sort(by="name", by_score="key"), ArgumentError, "by or by_score, not both")
    refused(lambda: mixed.collection().sort(by_score=5), ArgumentTypeError, "by_score")
    refused(lambda: mixed.collection().sort(by_score={"1": 2}), ArgumentTypeError, "by_score")
    refused(lambda: mixed.collection().sort(by_score=people.user.met), ArgumentTypeError, "by_score", "instance")
    refused(lambda: mixed.collection().sort(by_score=me.friends), ArgumentTypeError, "by_score", "SortedSetField")


def test_sort_by_the_scores_of_no_sorted_set(server: Backend, mixed: Any) -> None:
    """A key of another type is named."""
    server.client().set("text", "1")
    refused(lambda: list(mixed.collection().sort(by_score="text")), Rejected, "text")


def test_values(mixed: Any) -> None:
    """Names of fields with one value; what is not one is refused with those that are."""
    for shape in (mixed.collection().values, mixed.collection().values_list):
        refused(partial(shape, "nothing"), ImplementationError, "'nothing'", "pk, name, note")
        refused(partial(shape, "name", "tags"), ImplementationError, "'tags'")
        refused(partial(shape, 5), ImplementationError, "5")
    standard = mixed.collection(manager=CollectionManager)
    refused(lambda: standard.values(SORTED_SCORE), ImplementationError, "sorted_score")


def test_a_score_without_a_sort_by_scores(mixed: Any) -> None:
    """``SORTED_SCORE`` needs one."""
    refused(lambda: list(mixed.collection().values(SORTED_SCORE)), ImplementationError, "sort(by_score=...)")
    refused(lambda: list(mixed.collection().sort().values(SORTED_SCORE)), ImplementationError, "sort(by_score=...)")


def test_flat(mixed: Any) -> None:
    """One value in place of a tuple takes exactly one field."""
    refused(lambda: mixed.collection().values_list("pk", "name", flat=True), ArgumentError, "exactly one field, not 2")
    refused(lambda: mixed.collection().values_list(flat=True), ArgumentError, "exactly one field, not 0")
    refused(lambda: mixed.collection().values_list("pk", flat="yes"), ArgumentTypeError, "flat")


@pytest.mark.parametrize("look", [list, lambda c: c[0:2], lambda c: c[0], lambda c: list(c.values("name"))])
@pytest.mark.parametrize("filters", [{}, {"name": "one"}, {"name": "one", "tags": "a"}])
def test_sorting_text_as_numbers(server: Backend, mixed: Any, filters: dict[str, str], look: Any) -> None:
    """Redis sorts numbers; text is refused with ``alpha=True`` as the way out, and no temporary key stays."""
    mixed(name="one", note="more text", tags=["a"])
    before = server.dump()
    refused(lambda: look(mixed.collection(**filters).sort(by="note")), Rejected, "alpha=True")
    assert before == server.dump()
    assert ["2", "1"] == mixed.collection(**filters).sort(by="note", alpha=True)


@pytest.mark.parametrize("index", ["1", 1.5, None, (1, 2), True])
def test_items_are_asked_for_by_integers(mixed: Any, index: Any) -> None:
    """And slices, as with a list."""
    refused(lambda: mixed.collection()[index], TypeError)


@pytest.mark.parametrize("wanted", [slice("a", None), slice(None, 1.5), slice(None, None, "x")])
def test_slices_are_of_integers(mixed: Any, wanted: slice) -> None:
    """As with a list."""
    refused(lambda: mixed.collection()[wanted], TypeError)


def test_a_manager_is_a_class_of_collections(mixed: Any) -> None:
    """Anything else is refused with what to give."""
    refused(lambda: mixed.collection(manager=list), ImplementationError, "CollectionManager")
    refused(lambda: mixed.collection(manager="Extended"), ImplementationError, "CollectionManager")
