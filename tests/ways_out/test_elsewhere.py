"""Commands of Redis that no field has say what does it, and that is done here."""

from typing import Any

import pytest

from tests.tools.backends import Backend
from tests.tools.ways_out import Told, tries
from tests.ways_out.test_fields import model_with
from uowredis import HashField, ListField, RedisDatabase, SetField, SortedSetField, StringField
from uowredis.fields.elsewhere import ELSEWHERE


@pytest.fixture
def on(server: Backend) -> RedisDatabase:
    return server.database()


KINDS = {"lists": ListField, "sets": SetField, "ranks": SortedSetField, "hashes": HashField, "strings": StringField}


class Shelf:
    """Fields of each kind, two at a time, of two objects."""

    def __init__(self, on: RedisDatabase) -> None:
        self.database = on

    def __getattr__(self, kind: str) -> Any:
        model = model_with(self.database, KINDS[kind](indexable=kind == "sets"))
        found = [model().field, model().field]
        setattr(self, kind, found)
        return found


def _moved(w: Any) -> bool:
    here, there = w.lists
    here.rpush("a", "b")
    there.rpush("c")
    return (here.lmove(there, "RIGHT", "LEFT"), here.lrange(0, -1), there.lrange(0, -1)) == ("b", ["a"], ["b", "c"])


def _stored(w: Any) -> bool:
    here, there = w.sets
    here.sadd("a", "b")
    there.sadd("b", "c")
    found = here.sinter(there), here.sunion(there), here.sdiff(there)
    there.sadd(*found[2])
    return (*found, there.smembers()) == ({"b"}, {"a", "b", "c"}, {"a"}, {"a", "b", "c"})


#: The field on which a command is asked for, and the way out that is named.
OTHERWISE: dict[str, tuple[str, Any]] = {
    **dict.fromkeys(("blpop", "blmpop"), ("lists", lambda w: w.lists[0].lpop() is None)),
    "brpop": ("lists", lambda w: w.lists[0].rpop() is None),
    "bzpopmin": ("ranks", lambda w: w.ranks[0].zpopmin() == []),
    **dict.fromkeys(("bzpopmax", "bzmpop"), ("ranks", lambda w: w.ranks[0].zpopmax() == [])),
    **dict.fromkeys(("blmove", "brpoplpush"), ("lists", _moved)),
    "lmpop": ("lists", lambda w: w.lists[0].lpop(2) is w.lists[0].rpop(2) is None),
    "zmpop": ("ranks", lambda w: w.ranks[0].zpopmin(2) == w.ranks[0].zpopmax(2) == []),
    **dict.fromkeys(("sinterstore", "sunionstore", "sdiffstore"), ("sets", _stored)),
    **dict.fromkeys(
        ("hexpire", "hpexpire", "hexpireat", "hpexpireat", "hpersist", "httl", "hpttl", "hgetex", "hsetex"),
        ("hashes", lambda w: w.strings[0].set("x") and w.strings[0].expire(100)),
    ),
}


@tries("{} has no {}(): {}")
@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_command_that_no_field_has(told: Told, on: RedisDatabase, name: str) -> None:
    field, way = OTHERWISE[name]
    shelf = Shelf(on)
    with told(AttributeError) as caught:
        getattr(getattr(shelf, field)[0], name)
    assert str(caught.value).endswith(f"Way out: {ELSEWHERE[name][1]}")
    assert way(shelf)
