"""Fields that are stored under other names are checked, repaired and indexed anew as all others are."""

from typing import Any

import pytest

from tests.models import CONTENT, KINDS
from tests.tools.backends import Backend
from uowredis import RedisModel, check, rebuild, rename, repair
from uowredis.contrib.related import FKInstanceHashField, M2MSetField, RelatedModel


def thing(server: Backend, **options: Any) -> Any:
    """Declare a thing all of whose fields have other names in Redis, and make two."""
    fields = {name: kind(stored_as=f"was-{name}", **options) for name, kind in KINDS.items()}
    model = type("Thing", (RedisModel,), {"database": server.database(), "stored_as": "was", **fields})
    for _ in range(2):
        model(**CONTENT)
    return model


def faults(*models: Any) -> list[str]:
    return [finding.fault for finding in check(*models)]


def test_data_that_is_right(server: Backend) -> None:
    """Nothing is found, and nothing is changed."""
    model = thing(server, indexable=True)
    before = server.dump()
    assert [] == faults(model)
    list(repair(model))
    assert before == server.dump()


@pytest.mark.parametrize("name", KINDS)
def test_an_index_that_lost_what_it_held(server: Backend, name: str) -> None:
    """By repair, and by rebuild of that one field."""
    model = thing(server, indexable=True)
    before = server.dump()
    for mend in (repair, lambda of: rebuild(of, name)):
        lost = [key for key in before if key.startswith(b":was:was-%s:" % name.encode())]
        server.client().delete(*lost)
        assert {"missing entry"} == set(faults(model))
        list(mend(model))
        assert before == server.dump()


@pytest.mark.parametrize("name", KINDS)
def test_an_index_that_holds_what_is_not_so(server: Backend, name: str) -> None:
    model = thing(server, indexable=True)
    before = server.dump()
    server.client().sadd(f":was:was-{name}:{'a:' if name == 'headers' else ''}nobody", 1, 77)
    assert {"stale entry", "entry of a vanished object"} == set(faults(model))
    list(repair(model))
    assert before == server.dump()


def test_references_to_nothing(server: Backend) -> None:
    """They are taken away from where they are."""
    on = {"database": server.database()}
    person = type(RelatedModel)("Person", (RelatedModel,), on)
    fields = {
        "owner": FKInstanceHashField("Person", related_name="owned", stored_as="o"),
        "members": M2MSetField("Person", related_name="membership", stored_as="m"),
    }
    group = type(RelatedModel)("Group", (RelatedModel,), on | fields)
    group(owner="7", members=["7", "8"])
    assert ["reference to a missing object"] * 3 == faults(group)
    list(repair(group, references="clear"))
    assert ([], {b":group:max_pk", b":group:collection"}) == (
        [fault for fault in faults(group, person) if fault != "object without data"],
        set(server.dump()),
    )


@pytest.mark.parametrize("name", KINDS)
def test_what_a_rename_leaves_is_right(server: Backend, name: str) -> None:
    """By the declaration that says the new name."""
    rename(thing(server, indexable=True), name, "now")
    fields = {each: kind(stored_as=f"was-{each}", indexable=True) for each, kind in KINDS.items()}
    fields[name] = KINDS[name](stored_as="now", indexable=True)
    latest = type("Thing", (RedisModel,), {"database": server.database(), "stored_as": "was", **fields})
    assert [] == faults(latest)
