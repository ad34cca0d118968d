"""Persons with fields of every type, indexed and not, and groups that refer to them."""

from typing import Any

import attrs

from tests.tools.backends import Backend, Real
from uowredis import HashField, InstanceHashField, ListField, PKField, SetField, SortedSetField, StringField
from uowredis.contrib import related
from uowredis.contrib.database import PipelineDatabase

#: The indexed fields, for `tests.tools.wholeness`.
SHAPES = {
    "person": {"name": None, "city": None, "tags": None, "rows": None, "scores": None},
    "group": {"title": None, "owner": "person", "members": "person"},
}


@attrs.frozen
class People:
    """The models on one database."""

    database: PipelineDatabase
    Person: Any
    Group: Any
    Shelf: Any

    def three(self) -> tuple[Any, Any, Any]:
        """Store and return persons 1 to 3: a and b of Paris, c of Lyon."""
        a = self.Person(name="a", city="Paris", hits=3, age=30, tags=["x", "y"], queue=["1", "2"])
        b = self.Person(name="b", city="Paris", hits=1, age=20, tags=["y"])
        c = self.Person(name="c", city="Lyon", hits=2, age=10)
        return a, b, c


def declare(on: PipelineDatabase) -> People:
    """Declare the models on a database; nothing is stored."""

    class Person(related.RelatedModel):
        database = on
        name = InstanceHashField(unique=True)
        city = StringField(indexable=True)
        tags = SetField(indexable=True)
        rows = ListField(indexable=True)
        scores = SortedSetField(indexable=True)
        age = InstanceHashField()
        hits = StringField()
        queue = ListField()
        headers = HashField()

    class Group(related.RelatedModel):
        database = on
        title = InstanceHashField(indexable=True)
        owner = related.FKInstanceHashField("Person", related_name="owned")
        members = related.M2MSetField("Person", related_name="membership")

    class Shelf(related.RelatedModel):
        database = on
        label = PKField()
        town = InstanceHashField()
        chosen = SetField()
        seen = ListField()
        marks = SortedSetField()

    return People(on, Person, Group, Shelf)


def on(server: Backend, **options: Any) -> PipelineDatabase:
    """Return a database with pipelines on *server*, the caller's to close."""
    if isinstance(server, Real):
        return PipelineDatabase.from_url(server.server.url, **options)
    return PipelineDatabase.embedded(server=server.server, **options)  # type: ignore[attr-defined]  # the other kind
