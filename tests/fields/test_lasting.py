"""Expiry of fields without index: as redis-py has it, and as told over pending writes."""

from datetime import timedelta
from typing import Any

import pytest
import redis

from tests.fields.conversations import LASTING, STORED, Call, Conversation, call, models_of
from tests.fields.test_commands_table import client, compare, said
from tests.tools.backends import Backend
from uowredis import ArgumentError, ImplementationError, PendingWrites, Rejected, Session

__all__ = ["client"]  # a fixture

#: What lets a field expire.
EXPIRY = [
    call("expire", 9),
    call("pexpire", 9000),
    call("expireat", 4_102_444_800),
    call("pexpireat", 4_102_444_800_000),
]


def say(field: Any, one: Call) -> Any:
    return getattr(field, one.method)(*one.args, **one.kwargs)


@pytest.mark.parametrize("conversation", LASTING, ids=said)
@pytest.mark.parametrize("owner", STORED, ids=lambda owner: owner.__name__)
def test_it_lasts_as_by_redis_py(server: Backend, client: redis.Redis, owner: type, conversation: Conversation) -> None:
    """The reply and how long the key lasts: at once, in a session, and where all before it waits; on nothing, too."""
    compare(server, client, owner, (STORED[owner], *conversation), ("Plain",))
    client.delete("plain")
    compare(server, client, owner, conversation, ("Plain",))


@pytest.mark.parametrize("owner", STORED, ids=lambda owner: owner.__name__)
def test_how_long_is_told_by_the_server(server: Backend, owner: type) -> None:
    """Its own number; over pending writes nothing is told, since the rehearsal does not know it."""
    database = server.database()
    field = models_of(owner, database)["Plain"]().field
    say(field, STORED[owner])
    assert (-1, -1) == (field.ttl(), field.pttl())
    assert field.expire(timedelta(seconds=1000))
    assert 0 < field.ttl() <= 1000 < field.pttl() <= 1_000_000
    with Session(database) as s:
        assert 0 < field.ttl() <= 1000
        field.persist()
        with pytest.raises(PendingWrites, match="persist"):
            field.ttl()
        s.commit()
    assert -1 == field.ttl()


@pytest.mark.parametrize("one", EXPIRY, ids=str)
@pytest.mark.parametrize("owner", STORED, ids=lambda owner: owner.__name__)
def test_an_indexed_field_does_not_expire(server: Backend, owner: type, one: Call) -> None:
    """Its index entries would outlive it."""
    field = models_of(owner, server.database())["Indexed"]().field
    say(field, STORED[owner])
    with pytest.raises(ImplementationError, match=f"takes no expiry .{one.method}"):
        say(field, one)
    assert (-1, True, False) == (field.ttl(), field.exists(), field.persist())


@pytest.mark.parametrize("option", ["nx", "xx", "gt", "lt"])
@pytest.mark.parametrize("one", EXPIRY, ids=str)
def test_a_condition_where_the_server_knows_it(server: Backend, client: redis.Redis, one: Call, option: str) -> None:
    """As redis-py has it, also that the server does not know it (before 7.0)."""
    owner = next(iter(STORED))
    field = models_of(owner, server.database())["Plain"]().field
    for given in (False, True):
        say(field, STORED[owner])
        client.set("plain", "foo")
        if given:
            field.expire(1)
            client.expire("plain", 1)
        try:
            expected = getattr(client, one.method)("plain", *one.args, **{option: True})
        except redis.ResponseError:
            with pytest.raises(Rejected):
                getattr(field, one.method)(*one.args, **{option: True})
        else:
            assert expected is getattr(field, one.method)(*one.args, **{option: True})
            assert (client.ttl("plain") > 1) is (field.ttl() > 1)


@pytest.mark.parametrize("method", ["expiretime", "pexpiretime"])
def test_when_it_expires_where_the_server_knows_it(server: Backend, client: redis.Redis, method: str) -> None:
    """As redis-py has it, also that the server does not know it (before 7.0); nothing is told over pending writes."""
    database = server.database()
    field = models_of(next(iter(STORED)), database)["Plain"]().field
    for given in (None, "x", 4_102_444_800):
        if given == "x":
            field.set(given)
            client.set("plain", given)
        elif given is not None:
            field.expireat(given)
            client.expireat("plain", given)
        try:
            expected = getattr(client, method)("plain")
        except redis.ResponseError:
            with pytest.raises(Rejected):
                getattr(field, method)()
            return
        assert expected == getattr(field, method)()
    with Session(database) as s:
        assert expected == getattr(field, method)()
        field.persist()
        with pytest.raises(PendingWrites, match="persist"):
            getattr(field, method)()
        s.rollback()


@pytest.mark.parametrize("method", [one.method for one in EXPIRY])
def test_bad_times(server: Backend, method: str) -> None:
    """What is no time, is not positive, or a choice that excludes another is refused; nothing is written."""
    field = models_of(next(iter(STORED)), server.database())["Plain"](field="x").field
    for args, options in (((0,), {}), ((-1,), {}), ((9,), {"nx": True, "xx": True}), ((9,), {"gt": True, "lt": True})):
        with pytest.raises(ArgumentError):
            getattr(field, method)(*args, **options)
    for wrong in (None, True, 1.5, "soon", []):
        with pytest.raises(ArgumentError):
            getattr(field, method)(wrong)
    assert -1 == field.ttl()


def test_whether_a_value_goes_is_not_told_where_its_expiry_decides(server: Backend) -> None:
    """A moment that is past removes the value, under a condition only where the expiry that it has allows."""
    database = server.database()
    field = models_of(next(iter(STORED)), database)["Plain"](field="x").field
    with Session(database) as s:
        field.expireat(1, nx=True)
        with pytest.raises(PendingWrites):
            field.get()
        s.rollback()
        field.expireat(1)
        assert (None, False) == (field.get(), field.exists())
        s.rollback()
    assert "x" == field.get()
