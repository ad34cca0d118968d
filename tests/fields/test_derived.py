"""Fields that a user derives from ours: what a subclass makes of its values holds wherever they are said."""

from typing import Any

from tests.tools.backends import Backend
from uowredis import InstanceHashField, RedisModel, check
from uowredis.commands.changes import Replaced
from uowredis.commands.commands import Write


def test_a_field_that_spells_text_in_its_own_way_does_so_in_constructors(server: Backend) -> None:
    """As in commands and filters: a subclass may make something else of what it is given."""

    class Upper(InstanceHashField):
        def spell(self, value: Any) -> str:
            return super().spell(value).upper()

    class Code(RedisModel):
        database = server.database()
        name = Upper(indexable=True)

    assert "AB" == Code(name="ab").name.hget()
    assert ["1"] == list(Code.collection(name="AB"))


def test_a_field_of_ones_own_that_is_stored_by_a_write_is_told_from_others(server: Backend) -> None:
    """Two that write entries by commands of their own are indexed each by its own."""

    class Own(InstanceHashField):
        def first_write(self, identity: Any, schema: Any, value: Any) -> Any:
            text = self.spell(value)
            change = Replaced(((schema.stored, text),))
            return Write(identity, schema.storage, schema, "HSET", (schema.stored, text), change)

    class Code(RedisModel):
        database = server.database()
        one = Own(indexable=True)
        two = Own(indexable=True)

    for name in ("one", "two"):
        Code(**{name: "a"})
    assert (["1"], ["2"]) == (list(Code.collection(one="a")), list(Code.collection(two="a")))
    assert [] == list(check(Code))
