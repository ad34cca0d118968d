"""The connection on which a session watches: how many keys it bears, its loss, and what becomes of it afterwards."""

import pytest
import redis

from tests.session.stock import Planned, data
from tests.session.ways import World
from tests.tools.backends import Real
from uowredis import Conflict, Rejected, Session, TooManyGuards, UniquenessError

#: As many keys as may be watched where a test reads more.
FEW = 3


def test_without_scripts_many_reads_are_refused(real: Real) -> None:
    """Where the server runs no scripts, more reads than can be watched are TooManyGuards; nothing is applied."""
    World(real.database()).fill()
    ours = World(real.database(max_watched=FEW, scripts=False))
    before = real.dump()
    with Session(ours.database, watch_reads=True) as s:
        for read in (ours.one().stock.get, ours.one().tags.smembers, ours.one().shelf.llen, ours.one().sold.zcard):
            read()
        ours.one("3").code.set("new")
        with pytest.raises(TooManyGuards):
            s.commit()
        assert before == real.dump()
        s.rollback()
        ours.one().stock.get()
        ours.one().shelf.rpush("z")
        assert [4] == s.commit()


def kill_all(client: redis.Redis) -> None:
    """Have the server close every connection but this one."""
    client.client_kill_filter(_type="normal", skipme=True)


@pytest.mark.parametrize("most", [1_000, 0])
def test_a_lost_connection_is_a_lost_watch(real: Real, most: int) -> None:
    """commit() is Rejected, however often it is tried; nothing is applied; after rollback() the session works."""
    World(real.database()).fill()
    ours = World(real.database(max_watched=most))
    client = real.client()
    with Session(ours.database, watch_reads=True) as s:
        found = int(ours.one().stock.get())
        kill_all(client)
        client.set(":product:1:stock", 100)
        ours.one().stock.set(found - 1)
        before = data(real)
        for _ in range(2):
            with pytest.raises(Rejected):
                s.commit()
            assert ("not applied", before, 1) == (s.outcome, data(real), len(s.pending))
        with pytest.raises(Rejected, match="read again"):
            ours.one().tags.smembers()
        s.rollback()
        assert "100" == ours.one().stock.get()
        ours.one().stock.incr()
        assert [101] == s.commit()


def test_a_lost_connection_is_noticed_by_the_next_read(real: Real) -> None:
    """What is read after the loss is refused as well: the reads before it are no longer watched."""
    World(real.database()).fill()
    ours = World(real.database())
    client = real.client()
    with Session(ours.database, watch_reads=True) as s:
        ours.one().stock.get()
        kill_all(client)
        for _ in range(2):
            with pytest.raises(Rejected):
                ours.one().tags.smembers()
        ours.one().stock.incr()
        with pytest.raises(Rejected, match="read again"):
            s.commit()
        s.rollback()
    assert b"5" == client.get(":product:1:stock")


def test_connections_go_back_to_the_pool(real: Real) -> None:
    """However a watching session ends, its connection serves the next one, with nothing watched on it."""
    World(real.database()).fill()
    ours = World(real.database(max_connections=5))
    client = real.client()

    def end(s: Session, number: int) -> None:
        match number % 7:
            case 0:
                s.commit()
            case 1:
                s.rollback()
            case 2:
                raise Planned
            case 3:
                client.incr(":product:1:stock")
                with pytest.raises(Conflict):
                    s.commit()
            case 4:
                ours.Product(name="milk")
                with pytest.raises(UniquenessError):
                    s.commit()
            case 5:
                list(ours.Product.collection(kind="food", tags="a").sort(by="price"))

    for number in range(200):
        try:
            with Session(ours.database, watch_reads=True, on_pending="discard", attempts=1) as s:
                ours.one().stock.get()
                s.watch("some key")
                ours.one().shelf.rpush("z")
                end(s, number)
        except Planned:
            assert 2 == number % 7
    client.set("some key", 1)
    client.incr(":product:1:stock")
    assert 3 + 200 // 7 + 2 == ours.one().shelf.rpush("z")
