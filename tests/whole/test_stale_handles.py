"""What a handle of a deleted object leaves behind: the next object with its primary key does not take it over."""

from tests.models import every_kind
from tests.tools.backends import Backend
from uowredis import Session


def test_a_creation_with_a_chosen_pk_begins_with_nothing(server: Backend) -> None:
    """A command without index is sent as it is, also to an object that is gone; what it left is deleted by the next."""
    named = every_kind(server.database(), indexed=False).Named
    first = named(key="x", title="first")
    stale = named("x")
    first.delete()
    stale.tags.sadd("left")
    stale.headers.hset("from", "left")
    stale.note.hset("left")
    with Session(named.database) as session:
        second = named(key="x", tags=["own"])

        def held() -> list[object]:
            return [second.tags.smembers(), second.headers.hgetall(), second.note.hget(), second.title.get()]

        promised = held()
        session.commit()
    assert [{"own"}, {}, None, None] == promised
    assert promised == held()


def test_outside_of_a_session_too(server: Backend) -> None:
    """The same for a constructor that is a session of its own, and for one without values."""
    named = every_kind(server.database(), indexed=False).Named
    for given in ({}, {"title": "t"}):
        stale = named(key="x")
        named("x").delete()
        stale.tags.sadd("left")
        again = named(key="x", **given)
        assert set() == again.tags.smembers()
        again.delete()
