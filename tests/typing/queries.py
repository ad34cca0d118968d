"""What a type checker sees of collections: never run, checked by mypy --strict and pyright."""

from datetime import date
from typing import Any, Self, assert_type
from uuid import UUID

from uowredis import (
    FieldFacts,
    HashField,
    InstanceHashField,
    ListField,
    PKField,
    RedisDatabase,
    RedisModel,
    SetField,
    SortedSetField,
    StringField,
)
from uowredis.collection import SORTED_SCORE, CollectionManager, Following, Page
from uowredis.contrib.collection import ExtendedCollectionManager
from uowredis.contrib.database import PipelineDatabase
from uowredis.contrib.related import FKStringField, M2MSetField, RelatedModel

db = RedisDatabase.embedded()


class Person(RelatedModel):
    database = db
    id = PKField(type=UUID)
    name = InstanceHashField(indexable=True)
    city = StringField(indexable=True)
    born = InstanceHashField(type=date)
    tags = SetField(type=date)
    rows = ListField()
    ranks = SortedSetField()
    headers = HashField(type=int)
    friend = FKStringField("self", related_name="befriended")
    friends = M2MSetField("self", related_name="of_friends")


class Oldest(CollectionManager[Person]):
    """A manager of one's own."""

    def oldest(self) -> Self:
        return self.sort("born")

    def first(self) -> str:
        return self[0]


class Senior(RedisModel):
    database = PipelineDatabase.embedded()
    collection_manager = Oldest


class Retired(Senior):
    """It inherits the manager."""


def rows() -> None:
    everybody = Person.collection(name="Ann")
    assert_type(everybody, CollectionManager[Person])
    assert_type(everybody, CollectionManager[Person, str])
    assert_type(everybody[0], str)
    assert_type(everybody[:2], list[str])
    assert_type(list(everybody), list[str])
    assert_type(list(everybody.iter()), list[str])
    assert_type(list(everybody.instances()), list[Person])
    assert_type(everybody.instances()[0], Person)
    assert_type(everybody.instances().sort("born").after((date(2000, 1, 1), "1"), 10), Following[Person])
    assert_type(everybody.sort("born").after(None, 10)[:2], list[str])
    assert_type(everybody.instances()[0].born.hget(), date | None)
    assert_type(everybody.instances().filter(name="x").sort("name").copy()[:1], list[Person])
    assert_type(everybody.instances().intersect(["1"]).store(), CollectionManager[Person, Person])
    assert_type(everybody.instances().from_stored("key")[0], Person)
    assert_type(everybody.instances().primary_keys()[0], str)
    assert_type(everybody.values("name", "city")[0], dict[str, Any])
    assert_type(everybody.values()[0], dict[str, Any])
    assert_type(everybody.values(Person.born)[0], dict[str, date | None])
    assert_type(everybody.values(Person.name, Person.born)[0], dict[str, str | date | None])
    assert_type(everybody.values_list("name", "tags")[0], tuple[Any, ...])
    assert_type(everybody.values_list("name", SORTED_SCORE)[0], tuple[Any, ...])
    assert_type(everybody.values_list("author__name", flat=True)[0], Any)
    assert_type(everybody.values_list(Person.born, flat=True)[0], date | None)
    assert_type(everybody.values_list(Person.id, flat=True)[0], UUID)
    assert_type(everybody.values_list(Person.born)[0], tuple[date | None])
    assert_type(everybody.values_list(Person.name, Person.born)[0], tuple[str | None, date | None])
    assert_type(everybody.values_list(Person.id, Person.name, Person.born)[0], tuple[UUID, str | None, date | None])
    assert_type(everybody.values(Person.name, Person.tags)[0], dict[str, str | set[date] | None])
    assert_type(everybody.values_list(Person.tags, flat=True)[0], set[date])
    assert_type(everybody.values_list(Person.rows, flat=True)[:2], list[list[str]])
    assert_type(
        everybody.values_list(Person.tags, Person.rows, Person.ranks, Person.headers)[0],
        tuple[set[date], list[str], dict[str, float], dict[str, int]],
    )
    assert_type(everybody.values_list(Person.friend, Person.friends)[0], tuple[str | None, set[str]])
    assert_type(everybody.values("friend__name", Person.tags)[0], dict[str, object])
    loaded = everybody.instances(load=(Person.tags, "friend__name"))
    assert_type(loaded[0], Person)
    assert_type(loaded[0].loaded["friend__name"], Any)
    assert_type(list(loaded[0].loaded), list[str])
    everybody.instances(load=5)  # type: ignore[arg-type]
    assert_type(
        everybody.values(Person.id, Person.name, Person.city, Person.born)[0], dict[str, UUID | str | date | None]
    )
    assert_type(everybody.values("city", Person.born)[0], dict[str, object])
    assert_type(everybody.values_list("city", Person.born)[0], tuple[object, ...])
    assert_type(len(everybody), int)
    assert_type(everybody.first(), str | None)
    assert_type(everybody.instances().first(), Person | None)
    assert_type(everybody.values(Person.name).first(), dict[str, str | None] | None)
    assert_type(everybody.count(), int)
    assert_type(everybody.page(0, 10), Page[str])
    assert_type(everybody.instances().page(0, 10)[0], Person)
    assert_type(everybody.page(0, 10).total, int)
    assert_type(everybody.stored_key, str | None)
    assert_type(everybody.delete(batch=10, progress=print), int)
    assert_type(everybody.update({"batch": 1}, name="x", batch=10), int)
    everybody.values(1)  # type: ignore[call-overload]


def managers() -> None:
    assert_type(Person.collection(manager=Oldest), Oldest)
    assert_type(Person.collection(manager=Oldest).oldest().filter(name="x"), Oldest)
    assert_type(Person.collection(manager=Oldest).first(), str)
    assert_type(Person.collection(manager=Oldest).oldest().instances()[0], Person)
    assert_type(Senior.collection(), Oldest)
    assert_type(Retired.collection(name="x").oldest(), Oldest)
    assert_type(Person.collection(), ExtendedCollectionManager[Person])
    Person.collection(manager=int)  # type: ignore[type-var]


assert_type(Person.database, RedisDatabase)
assert_type(Senior.database, PipelineDatabase)
assert_type(Person.get(name="x"), Person)
assert_type(Person.get_many(["x"]), list[Person])
assert_type(Person.create_many([{"name": "x"}], progress=print), list[Person])
assert_type(Person.get(name="x").to_dict(), dict[str, Any])
assert_type(Person.lazy_connect("x"), Person)
assert_type(Person.fields["name"], FieldFacts)
assert_type(Person.fields["name"].unique, bool)
Person.fields["name"].unique = True  # type: ignore[misc]
assert_type(Person.get_or_connect(name="x"), tuple[Person, bool])
