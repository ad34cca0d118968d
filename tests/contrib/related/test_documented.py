"""Every example of the documentation's chapter on related fields (2.6.1), with no session open and in one."""

from typing import Any

import pytest

from tests.contrib.related.chapter import MANY, add, club, followed, owned, stored
from tests.contrib.related.place import Place
from uowredis import (
    InstanceHashField,
    ListField,
    PKField,
    SetField,
    SortedSetField,
    StringField,
)
from uowredis.contrib import related
from uowredis.contrib.collection import ExtendedCollectionManager
from uowredis.contrib.related import (
    FKInstanceHashField,
    FKStringField,
    M2MListField,
    M2MSetField,
    M2MSortedSetField,
)


def test_the_first_example(place: Place) -> None:
    """Objects and pks are given side by side; the other sides are collections."""
    models = club(place.database)
    made: dict[str, Any] = {}

    def say() -> list[Any]:
        core_devs = models.group(name="limpyd core devs", private=0)
        ybon, twidi = models.person(name="ybon"), models.person(name="twidi")
        made.update(core_devs=core_devs, ybon=ybon, twidi=twidi)
        return [core_devs.owner.hset(ybon), core_devs.members.sadd(twidi, ybon._pk)]

    def ask() -> list[Any]:
        return [
            made["core_devs"].owner.hget(),
            made["core_devs"].members.smembers(),
            list(made["ybon"].group_set(private=0)),
            list(made["ybon"].group_set(private=1)),
            list(made["twidi"].membership()),
            list(made["twidi"].group_set()),
        ]

    replies, answer = place.happens(say, ask)
    assert [1, 2] == replies
    devs = ["limpyd core devs"]
    assert ["ybon", {"ybon", "twidi"}, devs, [], devs, []] == answer


@pytest.mark.parametrize(
    ("field", "standard"),
    [
        (FKStringField, StringField),
        (FKInstanceHashField, InstanceHashField),
        (M2MSetField, SetField),
        (M2MListField, ListField),
        (M2MSortedSetField, SortedSetField),
    ],
)
def test_the_five_types_are_based_on_the_standard_ones_and_indexed(field: Any, standard: Any) -> None:
    """ "All have the indexable attribute set to True."""
    declared = field("self")
    assert isinstance(declared, standard)
    assert declared.indexable is True


def test_a_foreign_key_in_the_hash_is_read_with_other_fields(place: Place) -> None:
    """An FKInstanceHashField can be retrieved with others by ``hmget``, and written with them."""

    class Person(related.RelatedModel):
        database = place.database
        name = InstanceHashField()
        friend = FKInstanceHashField("self")

    ann, bob = Person(name="Ann"), Person(name="Bob")
    replies, answer = place.happens(
        lambda: [ann.hmset(name="Anna", friend=bob)], lambda: [ann.hmget("name", "friend"), list(bob.person_set())]
    )
    assert [True] == replies
    assert [["Anna", "2"], ["1"]] == answer


def test_a_set_tells_membership_and_forgets(place: Place) -> None:
    """M2MSetField: ``sismember`` and ``srem``, which take what ``sadd`` takes."""
    person = followed(place.database, M2MSetField, chosen=True)
    foo, bar, baz = (person(name=name) for name in ("Foo", "Bar", "Baz"))
    foo.following.sadd(bar, baz)

    def ask() -> list[Any]:
        return [foo.following.sismember(bar), foo.following.sismember("Baz"), list(bar.followers()), foo.following()]

    replies, answer = place.happens(lambda: [foo.following.srem(bar)], lambda: [*ask()[:3], list(ask()[3])])
    assert [1] == replies
    assert [False, True, [], ["Baz"]] == answer


def test_a_list_is_ordered_and_may_repeat(place: Place) -> None:
    """M2MListField: the same foreign key many times, in order; the other side names each object once."""
    person = followed(place.database, M2MListField, chosen=True)
    foo, bar, baz = (person(name=name) for name in ("Foo", "Bar", "Baz"))
    replies, answer = place.happens(
        lambda: [foo.following.rpush(bar, baz, bar), foo.following.lpush(baz)],
        lambda: [foo.following.lrange(0, -1), list(bar.followers()), set(foo.following())],
    )
    assert [3, 4] == replies
    assert [["Baz", "Bar", "Baz", "Bar"], ["Foo"], {"Bar", "Baz"}] == answer


def test_a_sorted_set_is_unique_and_sorted(place: Place) -> None:
    """M2MSortedSetField: each foreign key once, by a score, e.g. when members joined."""
    person = followed(place.database, M2MSortedSetField, chosen=True)
    foo, bar, baz = (person(name=name) for name in ("Foo", "Bar", "Baz"))

    def say() -> list[Any]:
        return [foo.following.zadd({bar: 30, baz: 10}), foo.following.zadd({bar: 20, foo: 15})]

    replies, answer = place.happens(
        say,
        lambda: [
            foo.following.zrange(0, -1, withscores=True),
            list(foo.following().sort(by_score=foo.following)),
            list(bar.followers()),
        ],
    )
    assert [2, 1] == replies
    assert [[("Baz", 10.0), ("Foo", 15.0), ("Bar", 20.0)], ["Baz", "Foo", "Bar"], ["Foo"]] == answer


def test_to_is_a_model(place: Place) -> None:
    """``FKStringField(Person)``: the related model is defined before."""
    models = owned(place.database, declared_first=True)
    person = models.person(name="x")
    assert ["1"] == place.answers(lambda: models.group(owner=person), lambda: list(person.owned_groups()))


def test_to_is_the_name_of_a_model_that_comes_later(place: Place) -> None:
    """``FKStringField('Person')``."""

    class Group(related.RelatedModel):
        database = place.database
        owner = FKStringField("Person")

    class Person(related.RelatedModel):
        database = place.database
        name = StringField()

    person = Person(name="x")
    assert ["1"] == place.answers(lambda: Group(owner=person), lambda: list(person.group_set()))


def test_to_names_a_model_in_another_namespace(place: Place) -> None:
    """``FKStringField('my_namespace:Person')``."""

    class Person(related.RelatedModel):
        database = place.database
        namespace = "my_namespace"
        name = StringField()

    class Group(related.RelatedModel):
        database = place.database
        owner = FKStringField("my_namespace:Person")

    person = Person(name="x")
    assert ["1"] == place.answers(lambda: Group(owner=person), lambda: list(person.group_set()))


def test_to_is_the_model_itself(place: Place) -> None:
    """``FKStringField('self')``."""

    class Group(related.RelatedModel):
        database = place.database
        parent = FKStringField("self")

    top = Group()
    top.pk.get()

    def ask() -> list[Any]:
        return [list(top.group_set()), [child.parent.instance() == top for child in top.group_set().instances()]]

    assert [["2"], [True]] == place.answers(lambda: Group(parent=top), ask)


def test_related_names_of_subclasses_are_filled_in(place: Place) -> None:
    """``%(namespace)s`` and ``%(model)s`` are those of the model that inherits the field."""

    class Person(related.RelatedModel):
        database = place.database
        name = StringField()

    class BaseGroup(related.RelatedModel):
        database = place.database
        namespace = "groups"
        abstract = True
        name = StringField()
        owner = FKStringField("Person", related_name="%(namespace)s_%(model)s_set")

    class PublicGroup(BaseGroup):
        pass

    class PrivateGroup(BaseGroup):
        pass

    person = Person(name="x")

    def say() -> None:
        PublicGroup(name="open", owner=person)
        PrivateGroup(name="closed", owner=person)
        PrivateGroup(name="hidden", owner=person)

    def ask() -> list[Any]:
        collections = person.groups_publicgroup_set(), person.groups_privategroup_set()
        return [set(collection.values_list("name", flat=True)) for collection in collections]

    assert [{"open"}, {"closed", "hidden"}] == place.answers(say, ask)


def test_the_related_collection_is_the_standard_way_and_more(place: Place) -> None:
    """It is the lazy collection of the model, filtered by the field; it takes filters at once and later."""
    models = owned(place.database)
    person, other = models.person(name="person 1"), models.person(name="person 2")

    def say() -> list[Any]:
        group1, group2 = models.group(name="group 1"), models.group(name="group 2", private=1)
        models.group(name="group 3", owner=other)
        return [group1.owner.set(person), group2.owner.set(person)]

    def ask() -> list[Any]:
        owned_groups = person.owned_groups()
        return [
            set(models.group.collection(owner=person.pk.get())),
            set(person.owned_groups()),
            list(person.owned_groups(private=1)),
            list(owned_groups.filter(private=1)),
            isinstance(owned_groups, ExtendedCollectionManager),
        ]

    replies, answer = place.happens(say, ask)
    assert [True, True] == replies
    assert [{"1", "2"}, {"1", "2"}, ["2"], ["2"], True] == answer


@pytest.mark.parametrize("field", [FKStringField, FKInstanceHashField])
def test_the_other_side_of_a_foreign_key(place: Place, field: Any) -> None:
    """``Person(core_devs.owner.get())`` and ``core_devs.owner.instance()`` are the same object."""

    class Person(related.RelatedModel):
        database = place.database
        name = StringField()

    class Group(related.RelatedModel):
        database = place.database
        name = StringField()
        private = StringField()
        owner = field(Person)

    made: list[Any] = []

    def say() -> list[Any]:
        core_devs, ybon = Group(name="limpyd core devs", private=0), Person(name="ybon")
        made.append(core_devs)
        return [core_devs.owner.set(ybon)]

    def ask() -> list[Any]:
        owner = made[0].owner.instance()
        return [owner == Person(made[0].owner.get()), type(owner) is Person, owner.name.get(), owner.pk.get()]

    replies, answer = place.happens(say, ask)
    assert [True if field is FKStringField else 1] == replies
    assert [True, True, "ybon", "1"] == answer


@pytest.mark.parametrize("chosen", [True, False], ids=["chosen pks", "counted pks"])
@pytest.mark.parametrize("field", MANY)
def test_many_to_many_fields_are_called_like_collections(place: Place, field: Any, chosen: bool) -> None:
    """Both sides answer with collections: ``followers()``, ``following()`` and ``following.collection()``."""
    person = followed(place.database, field, chosen=chosen)
    made: list[Any] = []

    def say() -> list[Any]:
        foo, bar, baz = (person(name=name) for name in ("Foo", "Bar", "Baz"))
        made[:] = foo, bar, baz
        return [add(foo.following, bar, baz), add(baz.following, bar)]

    def ask() -> list[Any]:
        foo, bar, baz = made
        return [
            set(bar.followers()),
            set(bar.followers().values_list("name", flat=True)),
            list(baz.followers().values_list("name", flat=True)),
            stored(foo.following),
            set(foo.following()),
            set(foo.following.collection()),
            [set(foo.following(name=name)) for name in ("Bar", "Foo")],
            list(foo.following().sort(by="name", alpha=True).values_list("name", flat=True)),
            {one.name.get() for one in foo.following().instances()},
            sorted(value["name"] for value in foo.following().values("name")),
            list(foo.following().sort(by="pk", alpha=True, desc=True)),
        ]

    replies, answer = place.happens(say, ask)
    # In a session the first whose primary key is asked for gets the first.
    foo, bar, baz = (one.pk.get() for one in made)
    assert ({"Foo", "Bar", "Baz"} if chosen else {"1", "2", "3"}) == {foo, bar, baz}
    assert [2, 1] == replies
    assert [
        {foo, baz},
        {"Foo", "Baz"},
        ["Foo"],
        {bar, baz},
        {bar, baz},
        {bar, baz},
        [{bar}, set()],
        ["Bar", "Baz"],
        {"Bar", "Baz"},
        ["Bar", "Baz"],
        sorted((bar, baz), reverse=True),
    ] == answer


@pytest.mark.parametrize("field", [FKStringField, FKInstanceHashField])
@pytest.mark.parametrize("end", ["set", "delete field", "delete group"])
def test_a_former_owner_has_the_group_no_more(place: Place, field: Any, end: str) -> None:
    """When the owner of a group is updated or deleted, the previous owner's collection does not name it."""

    class Person(related.RelatedModel):
        database = place.database
        name = PKField()

    class Group(related.RelatedModel):
        database = place.database
        name = PKField()
        owner = field("Person", related_name="owned_groups")

    ann, bob = Person(name="ann"), Person(name="bob")
    group = Group(name="g", owner=ann)
    ends = {"set": lambda: group.owner.set(bob), "delete field": group.owner.delete, "delete group": group.delete}
    assert [[], ["g"] if end == "set" else []] == place.answers(
        ends[end], lambda: [list(ann.owned_groups()), list(bob.owned_groups())]
    )


@pytest.mark.parametrize("field", [FKStringField, FKInstanceHashField, *MANY])
def test_a_deleted_person_is_nowhere_referred_to(place: Place, field: Any) -> None:
    """When a person is deleted, the fields that refer to it lose that value, and only that; filters find none."""

    class Person(related.RelatedModel):
        database = place.database
        name = PKField()

    class Group(related.RelatedModel):
        database = place.database
        name = PKField()
        other = StringField()
        persons = field("Person")

    ann, bob = Person(name="ann"), Person(name="bob")
    group, second = Group(name="g", other="kept"), Group(name="h")
    if field in MANY:
        add(group.persons, ann, bob)
    else:
        group.persons.set(ann)
        second.persons.set(bob)

    def ask() -> list[Any]:
        held = stored(group.persons) if field in MANY else group.persons.get()
        return [held, group.other.get(), set(Group.collection(persons="ann")), set(bob.group_set())]

    expected = [{"bob"}, "kept", set(), {"g"}] if field in MANY else [None, "kept", set(), {"h"}]
    assert expected == place.answers(ann.delete, ask)
