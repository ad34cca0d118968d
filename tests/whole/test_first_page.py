"""The documentation's first page: its bike, at once and as one unit of work."""

import pytest

from tests.tools.backends import Backend
from uowredis import DoesNotExist, NotCommitted, Pending, Session, model


def bike_model(server: Backend) -> type[model.RedisModel]:
    """Return the documented model, spelled with what `uowredis.model` gives."""

    class Bike(model.RedisModel):
        database = server.database()

        name = model.InstanceHashField(indexable=True, unique=True)
        color = model.InstanceHashField()
        wheels = model.StringField(default=2)

    return Bike


def test_the_bike(server: Backend) -> None:
    """Each line of the first page answers what the page shows."""
    bike = bike_model(server)
    mountainbike = bike(name="mountainbike")
    assert "2" == mountainbike.wheels.get()
    assert 3 == mountainbike.wheels.incr()
    assert "3" == mountainbike.wheels.get()
    assert 0 == mountainbike.name.set("tricycle")
    tricycle = bike.get(name="tricycle")
    assert "3" == tricycle.wheels.get()
    assert True is tricycle.hmset(color="blue")
    assert ["blue"] == tricycle.hmget("color")
    assert ["blue", "tricycle"] == tricycle.hmget("color", "name")
    assert "blue" == tricycle.color.hget()
    assert 0 == tricycle.color.hset("yellow")
    assert ["yellow"] == tricycle.hmget("color")
    assert mountainbike == tricycle


def test_what_the_bike_leaves_in_redis(server: Backend) -> None:
    """The keys are those of redis-limpyd: instance, collection, counter and the index of the last name."""
    bike = bike_model(server)
    mountainbike = bike(name="mountainbike")
    mountainbike.wheels.incr()
    mountainbike.name.set("tricycle")
    assert {
        b":bike:collection": ("set", frozenset({b"1"})),
        b":bike:max_pk": ("string", b"1"),
        b":bike:1:hash": ("hash", {b"name": b"tricycle"}),
        b":bike:1:wheels": ("string", b"3"),
        b":bike:name:tricycle": ("set", frozenset({b"1"})),
    } == server.dump()


def test_the_bike_in_one_session(server: Backend) -> None:
    """In a session all but reads waits; reads answer as if all of it were committed; the commit sends it whole."""
    bike = bike_model(server)
    with Session(bike.database) as s:
        mountainbike = bike(name="mountainbike")
        assert "2" == mountainbike.wheels.get()
        incremented = mountainbike.wheels.incr()
        assert isinstance(incremented, Pending)
        with pytest.raises(NotCommitted):
            incremented.result
        assert "3" == mountainbike.wheels.get()
        named = mountainbike.name.set("tricycle")
        assert {} == server.dump()
        tricycle = bike.get(name="tricycle")
        assert not bike.exists(name="mountainbike")
        assert "3" == tricycle.wheels.get()
        stored = tricycle.hmset(color="blue")
        assert ["blue"] == tricycle.hmget("color")
        assert ["blue", "tricycle"] == tricycle.hmget("color", "name")
        assert "blue" == tricycle.color.hget()
        painted = tricycle.color.hset("yellow")
        assert ["yellow"] == tricycle.hmget("color")
        # What get() found is the object to be; nothing is counted for it.
        assert {} == server.dump()
        replies = s.commit()
    assert [mountainbike, 3, 0, True, 0] == replies
    assert [3, 0, True, 0] == [incremented.result, named.result, stored.result, painted.result]
    assert ("3", ["yellow", "tricycle"]) == (tricycle.wheels.get(), tricycle.hmget("color", "name"))
    assert mountainbike == tricycle == bike.get(name="tricycle")
    with pytest.raises(DoesNotExist):
        bike.get(name="mountainbike")


def test_a_session_leaves_the_same_data(server: Backend) -> None:
    """One commit leaves what the same lines leave when each is sent at once."""
    at_once = bike_model(server)
    bike = at_once(name="mountainbike")
    bike.wheels.incr()
    bike.name.set("tricycle")
    bike.hmset(color="blue")
    expected = server.dump()
    server.flush()
    with Session((whole := bike_model(server)).database) as s:
        bike = whole(name="mountainbike")
        bike.wheels.incr()
        bike.name.set("tricycle")
        bike.hmset(color="blue")
        s.commit()
    assert expected == server.dump()
