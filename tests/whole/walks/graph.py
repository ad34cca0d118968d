"""Three models that refer to each other and to themselves, by every type of field and with every kind of deletion."""

from typing import Any

import attrs

from tests.models import base_on
from uowredis import InstanceHashField, PKField, RedisDatabase, aio
from uowredis.contrib.related import (
    CASCADE,
    CLEAR,
    RESTRICT,
    FKInstanceHashField,
    FKStringField,
    M2MListField,
    M2MSetField,
    M2MSortedSetField,
)


@attrs.frozen
class Graph:
    """The models as one client has them, by name; those of ``Named`` choose their pks, the others count them."""

    database: RedisDatabase | aio.RedisDatabase
    models: dict[str, type[Any]]

    def handle(self, model: str, pk: str, *, tested: bool = True) -> Any:
        """Return a new handle of an object, without asking whether it is there."""
        return self.models[model]._handle(pk, tested=tested)


def declare(where: RedisDatabase | aio.RedisDatabase) -> Graph:
    """Declare the models on the database *where*; ``links`` of the oracle tells the same once more."""

    class Base(base_on(where, related=True)):  # type: ignore[misc]
        abstract = True
        database = where
        label = InstanceHashField(indexable=True)

    class Leaf(Base):
        parent = FKStringField("self", "parent_of", on_delete=CASCADE)
        owner = FKInstanceHashField("Named", "owner_of", on_delete=CLEAR, check=True)
        friends = M2MSetField("self", "friends_of", on_delete=CLEAR)
        route = M2MListField("Named", "route_of", on_delete=RESTRICT)
        votes = M2MSortedSetField("far:Far", "votes_of", on_delete=CASCADE, check=True)

    class Named(Base):
        stored_as = "called"
        key = PKField()
        label = InstanceHashField(indexable=True, stored_as="was-label")
        home = FKStringField(Leaf, "home_of", on_delete=RESTRICT, check=True, stored_as="was-home")
        boss = FKInstanceHashField("self", "boss_of", on_delete=CASCADE, stored_as="was-boss")
        groups = M2MSetField("far:Far", "groups_of", on_delete=CASCADE, stored_as="was-groups")
        path = M2MListField("self", "path_of", on_delete=CLEAR, check=True, stored_as="was-path")
        ranks = M2MSortedSetField("Leaf", "ranks_of", on_delete=CLEAR, stored_as="was-ranks")

    class Far(Base):
        namespace = "far"
        at = FKStringField("Named", "at_of", on_delete=CLEAR)
        top = FKInstanceHashField("self", "top_of", on_delete=RESTRICT)
        ties = M2MSetField(Named, "ties_of", on_delete=RESTRICT, check=True)
        steps = M2MListField("Leaf", "steps_of", on_delete=CASCADE)
        marks = M2MSortedSetField("self", "marks_of", on_delete=RESTRICT)

    return Graph(where, {"Leaf": Leaf, "Named": Named, "Far": Far})
