"""With watch_reads whatever is read is watched until the commit, in whatever way it was read."""

import pytest

from tests.session.ways import COLLECTIONS, FIELDS, OBJECTS, RELATIONS, WAYS, Way, World
from tests.tools.backends import Backend
from uowredis import Conflict, Session, fields
from uowredis.fields import reads
from uowredis.fields.bound import Bound

#: On which server, and how the reads are guarded there: by WATCH, or compared by the script of the commit.
HOW = ("embedded", "redis", "script")
#: The commands of fields differ by their replies, which are compared on one server as on the other.
CASES = [(each, how) for each in WAYS for how in HOW if each not in FIELDS or how != "redis"]
#: What a session computes from what it holds and what the server holds.
COMPUTED = OBJECTS | COLLECTIONS | RELATIONS


@pytest.fixture
def server(request: pytest.FixtureRequest, how: str) -> Backend:
    return request.getfixturevalue("embedded" if how == "embedded" else "real")


@pytest.fixture
def ours(server: Backend, how: str) -> World:
    world = World(server.database(max_watched=0) if how == "script" else server.database())
    world.fill()
    return world


@pytest.fixture
def other(server: Backend, ours: World) -> World:
    """The same as another client has it."""
    return World(server.database())


def check_conflict(server: Backend, ours: World, other: World, way: Way, s: Session) -> None:
    """Another changes what was read: the commit is a Conflict that names what differs, and nothing is applied."""
    way.change(other)
    before = server.dump()
    with pytest.raises(Conflict) as caught:
        s.commit()
    assert before == server.dump()
    assert caught.value.keys
    assert caught.value.fields
    assert "not applied" == s.outcome
    s.rollback()


@pytest.mark.parametrize(("each", "how"), CASES)
def test_what_was_read_has_changed(server: Backend, ours: World, other: World, each: str) -> None:
    """Where another changes something near it the commit is applied; where it changes that, it is a Conflict."""
    way = WAYS[each]
    for changed in (False, True):
        with Session(ours.database, watch_reads=True) as s:
            way.read(ours)
            ours.one("3").code.set("new")
            if changed:
                check_conflict(server, ours, other, way, s)
            else:
                way.beside(other)
                assert [True] == s.commit()
    assert "new" == other.one("3").code.get()


@pytest.mark.parametrize("how", ["embedded", "script"])
@pytest.mark.parametrize("way", COMPUTED.values(), ids=COMPUTED)
def test_what_was_read_over_pending_writes_has_changed(server: Backend, ours: World, other: World, way: Way) -> None:
    """The same where the session holds writes on what it reads: answers are computed from what is watched."""
    with Session(ours.database, watch_reads=True) as s:
        ours.one("3").kind.hset("machine")
        ours.one("2").price.hincrby(1)
        ours.person("cid").city.hset("Rome")
        ours.box().name.hset("n")
        way.read(ours)
        check_conflict(server, ours, other, way, s)


def test_every_read_of_a_field_has_its_way() -> None:
    """Each command by which a field is read is among the ways."""
    bounds = [each for each in vars(fields).values() if isinstance(each, type) and issubclass(each, Bound)]
    found = {name for bound in bounds for name, method in vars(bound).items() if isinstance(method, reads)}
    assert len(found) > 20
    # Redis 6.2 does not know the last two.
    assert found <= {way.split(".")[1] for way in FIELDS} | {"expiretime", "pexpiretime"}
