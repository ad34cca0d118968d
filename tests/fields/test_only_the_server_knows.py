"""Commands whose result only the server knows: computed and sent as what they come to where there is an index."""

from typing import Any

import pytest

from tests.models import every_kind
from tests.tools.backends import Backend, Real
from uowredis import PendingWrites, Rejected, Session

FAILS = ("OVERFLOW", "FAIL")

#: What is there, what BITFIELD is told, its reply, and what a server leaves.
BITS: list[tuple[str | None, tuple[Any, ...], list[int | None], str | None]] = [
    (None, (FAILS, ("INCRBY", "u8", 0, 300)), [None], "\0"),
    (None, (FAILS, ("INCRBY", "u4", "#3", 99), ("GET", "u8", 40)), [None, 0], "\0\0"),
    (None, (FAILS, ("INCRBY", "u8", 16, 300), ("INCRBY", "u8", 0, 300)), [None, None], "\0\0\0"),
    (None, (FAILS, ("GET", "u8", 40)), [0], None),
    ("a", (FAILS, ("SET", "u8", 8, 300), ("SET", "u8", 16, 66)), [None, 0], "a\0B"),
    ("a", (("INCRBY", "u8", 0, 200), FAILS, ("INCRBY", "u8", 0, 250)), [41, None], ")"),
    ("abc", (FAILS, ("INCRBY", "i8", 0, 100), ("INCRBY", "u7", 1, 1)), [None, 98], "bbc"),
]


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize(("before", "operations", "reply", "after"), BITS)
def test_an_overflow_that_fails(
    real: Real,
    before: str | None,
    operations: tuple[Any, ...],
    reply: list[int | None],
    after: str | None,
    indexed: bool,
) -> None:
    """Redis makes room for what cannot be written; the index has what is there then."""
    thing = every_kind(real.database(), indexed=indexed).Thing
    one = thing(note="x") if before is None else thing(title=before)
    with Session(thing.database) as s:
        pending = s.later(one.title.bitfield(*operations))
        if indexed:
            assert after == one.title.get()
        else:
            with pytest.raises(PendingWrites, match="only Redis can know the result"):
                one.title.get()
        s.commit()
    assert (reply, after) == (pending.result, one.title.get())
    if indexed:
        assert [] == [each for each in real.client().keys(":thing:title:*") if each != f":thing:title:{after}".encode()]
        assert after is None or thing.exists(title=after)
    assert reply == (thing(note="x") if before is None else thing(title=before)).title.bitfield(*operations)


@pytest.mark.parametrize("server_has_room", [False, True])
def test_the_index_follows_on_any_server(server: Backend, server_has_room: bool) -> None:
    """Also on one that makes no room, as fakeredis: what is set is what was computed."""
    thing = every_kind(server.database(), indexed=True).Thing
    one = thing(title="abc") if server_has_room else thing(note="x")
    one.title.bitfield(FAILS, ("INCRBY", "u8", 8, 300))
    assert ("abc" if server_has_room else "\0\0") == one.title.get()
    assert [one] == list(thing.collection(title=one.title.get()).instances())


@pytest.mark.parametrize("indexed", [False, True])
def test_between_two_texts(server: Backend, indexed: bool) -> None:
    """Bytes are compared; the index loses what goes, and nothing else."""
    thing = every_kind(server.database(), indexed=indexed).Thing
    one = thing(ranks=dict.fromkeys(("a", "b", "c", "é", b"\xff"), 1))
    with Session(thing.database) as s:
        pending = s.later(one.ranks.zremrangebylex("(a", "[é"))
        if indexed:
            assert ["a", "\udcff"] == one.ranks.zrange(0, -1)
            assert not thing.exists(ranks="b")
        else:
            with pytest.raises(PendingWrites, match="only Redis can know the result"):
                one.ranks.zcard()
        s.commit()
    assert (3, ["a", "\udcff"]) == (pending.result, one.ranks.zrange(0, -1))
    if indexed:
        assert [True, False, False, False, True] == [thing.exists(ranks=each) for each in ("a", "b", "c", "é", b"\xff")]
    assert 0 == one.ranks.zremrangebylex("[b", "[b")


def test_where_scores_differ(server: Backend) -> None:
    """What lies between is not laid down: with an index nothing is written, without one it is Redis' business."""
    for indexed in (True, False):
        thing = every_kind(server.database(), indexed=indexed).Thing
        one = thing(ranks={"a": 1, "b": 2})
        before = server.dump()
        if indexed:
            with pytest.raises(Rejected, match="scores differ, and what lies between two texts is not laid down"):
                one.ranks.zremrangebylex("-", "+")
            assert before == server.dump()
        else:
            assert one.ranks.zremrangebylex("-", "+") in (1, 2)
        server.flush()


def test_what_needs_what_was_there_is_not_taken_for_said(server: Backend) -> None:
    """XX adds nobody to the index; infinity that meets its opposite is refused before anything is written."""
    thing = every_kind(server.database(), indexed=True).Thing
    one = thing(ranks={"a": "inf"})
    assert 0 == one.ranks.zadd({"b": 1}, xx=True)
    assert (False, True) == (thing.exists(ranks="b"), thing.exists(ranks="a"))
    before = server.dump()
    with Session(thing.database, on_pending="discard") as s:
        one.ranks.zincrby("-inf", "a")
        one.name.hset("n")
        with pytest.raises(Rejected):
            s.commit()
    assert before == server.dump()
