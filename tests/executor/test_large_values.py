"""A value that is longer than the server takes is refused before it is sent: the server would close the connection."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.models import every_kind
from tests.tools.backends import Backend, Real
from uowredis import RedisDatabase, Rejected, Session

MOST = 1_048_576


@pytest.fixture
def lowered(real: Real) -> Iterator[Real]:
    """A server that takes 1 MB, as some services do."""
    client = real.client()
    (usual,) = client.config_get("proto-max-bulk-len").values()
    client.config_set("proto-max-bulk-len", MOST)
    yield real
    client.config_set("proto-max-bulk-len", usual)


@pytest.fixture
def thing(lowered: Real) -> Any:
    return every_kind(lowered.database()).Thing(name="before", title="before")


SAYING = {
    "set": lambda thing, value: thing.count.set(value),
    "set, indexed": lambda thing, value: thing.title.set(value),
    "rpush": lambda thing, value: thing.rows.rpush("a", value),
    "hset": lambda thing, value: thing.note.hset(value),
    "hget": lambda thing, value: thing.headers.hget(value),
    "a filter": lambda thing, value: type(thing).collection(title=value)[:1],
}


@pytest.mark.parametrize("said", SAYING)
def test_one_call(lowered: Real, thing: Any, said: str) -> None:
    """The message names the limit and the length; nothing is written, and the next call is answered."""
    before = lowered.dump()
    with pytest.raises(
        Rejected, match=rf"takes arguments of {MOST:,} bytes .* has 1,\d{{3}},\d{{3}}; nothing was"
    ) as caught:
        SAYING[said](thing, "x" * MOST + "x")
    assert 400 > len(str(caught.value))
    assert before == lowered.dump()
    assert "before" == thing.name.hget()


@pytest.mark.parametrize("others", [0, 2_500], ids=["alone", "in chunks"])
@pytest.mark.parametrize("how", ["WATCH", "script"])
def test_a_session(lowered: Real, others: int, how: str) -> None:
    """Nothing of the commit is applied, wherever in it the value stands; the session goes on."""
    client = lowered.client(decode_responses=True)
    things = every_kind(lowered.database(max_watched=1_000 if how == "WATCH" else 0)).Thing
    thing = things(name="before")

    def say(length: int) -> None:
        for number in range(others):
            thing.rows.rpush(number)
        thing.name.hset("after")
        thing.count.set("é" * length)

    with Session(things.database) as session:
        say(MOST // 2 + 1)
        with pytest.raises(Rejected, match="proto-max-bulk-len") as caught:
            session.commit()
        assert ("not applied", []) == (session.outcome, getattr(caught.value, "__notes__", []))
        assert ("before", 0) == (client.hget(":thing:1:hash", "name"), client.llen(":thing:1:rows"))
        session.rollback()
        say(MOST // 2)
        session.commit()
    assert ("after", others) == (client.hget(":thing:1:hash", "name"), client.llen(":thing:1:rows"))


def test_what_fits_goes_through(lowered: Real, thing: Any) -> None:
    """Up to the very byte."""
    thing.count.set("x" * MOST)
    assert MOST == thing.count.strlen()


def test_the_last_connection_of_a_pool_suffices(real: Real) -> None:
    """The limit is asked beside the pool."""
    with RedisDatabase.from_url(real.server.url, max_connections=1) as database:
        thing = every_kind(database).Thing(name="x")
        with Session(database) as session:
            thing.count.set("x" * 3_000_000)
            thing.name.hset("y")
            session.commit()
        assert 3_000_000 == thing.count.strlen()


def test_a_server_that_does_not_tell(server: Backend) -> None:
    """In process, or where CONFIG is not allowed: what every server takes by default."""
    thing = every_kind(server.database()).Thing(name="x")
    thing.count.set("x" * 3_000_000)
    assert 3_000_000 == thing.count.strlen()
