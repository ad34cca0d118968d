"""A sharded model is spread over places by its primary keys; what refers to each other is in one. On any server."""

import collections
import pickle
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cluster.shards import crc16, declare, keys, shard, tag
from tests.tools.backends import Backend
from uowredis import (
    CrossPlace,
    DoesNotExist,
    ImplementationError,
    InstanceHashField,
    RedisDatabase,
    RedisModel,
    Session,
    UniquenessError,
)
from uowredis.contrib.related import FKInstanceHashField, RelatedModel
from uowredis.schema.shards import tag_of

SLOTS = 16_384


@pytest.fixture
def firm(server: Backend) -> SimpleNamespace:
    """Sharded models on each kind of server."""
    return declare(server)


# Where objects are.


@pytest.mark.parametrize("count", [1, 2, 3, 64, 1_000, 1_024])
def test_places_are_spread_evenly(count: int) -> None:
    """The slot of shard i of n is (i + 0.5) * 16384 / n; no two are alike, and each is short."""
    tags = [tag_of(number, count) for number in range(count)]
    assert [(2 * number + 1) * SLOTS // (2 * count) for number in range(count)] == [
        crc16(each.encode()) % SLOTS for each in tags
    ]
    assert count == len(set(tags))
    assert all(each.startswith(f"{number}.") and len(each) <= len(str(number)) + 5 for number, each in enumerate(tags))


def test_places_never_change() -> None:
    """Data is where these say; another spelling would find nothing of it."""
    assert ["0.k5", "1.3xq", "2.3cz"] == [tag_of(number, 1_024) for number in range(3)]
    assert "1023.6j9" == tag_of(1_023, 1_024)
    assert "0.9e2" == tag_of(0, 1)


def test_a_counted_primary_key_says_its_shard(firm: SimpleNamespace, server: Backend) -> None:
    """Each place counts for itself, from 1; what is counted is number * shards + shard."""
    tenants = [firm.tenant(name=f"t{number}") for number in range(40)]
    by_shard = collections.Counter(int(tenant.pk.get()) % 8 for tenant in tenants)
    assert 40 == len({tenant.pk.get() for tenant in tenants})
    assert len(by_shard) > 2
    for tenant in tenants:
        place = tag(tenant.name.key.encode()).decode()
        assert tag_of(int(tenant.pk.get()) % 8, 8) == place
    counters = {shard(key): int(client.get(key)) for key, client in keys(server).items() if key.endswith(b":max_pk")}
    assert by_shard == counters
    for number, count in by_shard.items():
        pks = sorted(int(tenant.pk.get()) for tenant in tenants if int(tenant.pk.get()) % 8 == number)
        assert [number + 8 * each for each in range(1, count + 1)] == pks


@pytest.mark.parametrize(
    ("pk", "counted"), [("abc", "abc"), ("{acme}:1", "acme"), ("x{acme}y{b}", "acme"), ("{}a", "{}a"), ("é{", "é{")]
)
def test_a_chosen_primary_key_tells_its_shard(firm: SimpleNamespace, pk: str, counted: str) -> None:
    """By its checksum; of its {part} where it has one."""
    visitor = firm.visitor(code=pk, name="x")
    assert crc16(counted.encode()) % 8 == shard(visitor.name.key.encode())
    assert [pk] == list(firm.visitor.collection(name="x"))
    assert "x" == firm.visitor(pk).name.hget() == firm.visitor.get(pk).name.hget()
    with pytest.raises(UniquenessError):
        firm.visitor(code=pk)


def test_all_keys_of_a_place_begin_with_it(firm: SimpleNamespace, server: Backend) -> None:
    """Also those of tokens and fingerprints; the layout is one key beside them."""
    with Session(firm.db) as s:
        tenant = firm.tenant(name="{a}")
        person = firm.person(tenant=tenant, name="b", age=3, tags=["x"], email="e")
        firm.order(person=person, what="w")
        s.commit()
    found = set(keys(server))
    assert b"{uowredis}:layout" in found
    places = {tag(key) for key in found - {b"{uowredis}:layout"}}
    assert 1 == len(places)
    assert {b"{%b}:ns:order" % next(iter(places))} == {
        key.rpartition(b":max_pk")[0] for key in found if b"order:max" in key
    }


# Near.


def test_near_is_where_the_other_is(firm: SimpleNamespace) -> None:
    """Created alone, together, or near what is near; the primary key says the same place."""
    for number in range(12):
        tenant = firm.tenant(name=f"t{number}")
        person = firm.person(tenant=tenant, age=number)
        order = firm.order(person=person.pk.get(), what="x")
        assert 1 == len({int(each.pk.get()) % 8 for each in (tenant, person, order)})
        assert 1 == len({tag(each.encode()) for each in (tenant.name.key, person.age.key, order.what.key)})
        assert tenant == person.tenant.instance()
        assert [person] == list(tenant.person_set().instances())
        assert [order] == list(person.order_set().instances())


def test_what_one_session_creates_is_in_one_place(firm: SimpleNamespace) -> None:
    """Where nothing says another; so it is one commit."""
    for _ in range(5):
        with Session(firm.db) as s:
            made = [firm.tenant(name=name) for name in "abc"]
            s.commit()
        assert 1 == len({int(each.pk.get()) % 8 for each in made})


def test_what_was_rolled_back_is_placed_anew(firm: SimpleNamespace) -> None:
    """An empty handle of it may be created elsewhere."""
    empty = firm.tenant()
    with Session(firm.db) as s:
        empty.name.hset("a")
        s.rollback()
        assert empty.identity.model.shard is None
        empty.name.hset("b")
        s.commit()
    assert [empty] == list(firm.tenant.collection(name="b").instances())


def test_a_commit_is_in_one_shard(firm: SimpleNamespace, server: Backend) -> None:
    one, other = _in_two_places(firm)
    before = server.dump()
    with Session(firm.db, on_pending="discard") as s:
        one.name.hset("x")
        other.name.hset("y")
        for send in (s.plan, s.commit):
            with pytest.raises(CrossPlace, match="objects of 2 places"):
                send()
    assert before == server.dump()


def test_a_reference_is_within_a_place(firm: SimpleNamespace, server: Backend) -> None:
    """Whatever way it is said: else nothing is written, in a plan nor a commit."""
    one, other = _in_two_places(firm)
    ann, bob = firm.person(tenant=one, name="ann"), firm.person(tenant=other, name="bob")
    ann.boss.set(firm.person(tenant=one, name="eve"))
    before = _but_counters(server)
    said: list[Any] = [
        lambda: ann.tenant.hset(other),
        lambda: ann.tenant.hset(other.pk.get()),
        lambda: ann.tenant.hset(bob.tenant),
        lambda: ann.boss.set(bob),
        lambda: ann.friends.sadd(bob),
        lambda: ann.friends.sadd(ann, bob.pk.get()),
        lambda: firm.person(tenant=one, boss=bob),
        lambda: firm.person(tenant=one, friends=[ann, bob]),
    ]
    for say in said:
        with pytest.raises(CrossPlace):
            say()
        assert before == _but_counters(server)
    ann.friends.sadd(ann)
    assert [ann] == list(ann.friend_of().instances())


@pytest.mark.parametrize("name", ["tenant", "boss"])
def test_a_reference_to_what_is_no_number_is_found_or_refused(firm: SimpleNamespace, name: str) -> None:
    """Nobody counts such a primary key; what says it is looked for in the place that it tells, so it must be there."""
    ann = firm.person(tenant=firm.tenant(name="one"), name="ann")
    refused = 0
    for text in ("abc", "-3", "x1", "é", "1.5", "{a}b", "0x10", "~"):
        bound = getattr(ann, name)
        try:
            bound.hset(text) if name == "tenant" else bound.set(text)
        except CrossPlace:
            refused += 1
            assert text != bound.get()
        assert (text == bound.get()) == (ann in firm.person.collection(**{name: text}).instances())
    assert refused


def _but_counters(server: Backend) -> dict[bytes, Any]:
    return {key: value for key, value in server.dump().items() if not key.endswith(b":max_pk")}


def _in_two_places(firm: SimpleNamespace) -> tuple[Any, Any]:
    """Return two tenants that are not in one place."""
    first = firm.tenant(name="first")
    while True:
        other = firm.tenant(name="other")
        if int(other.pk.get()) % firm.count != int(first.pk.get()) % firm.count:
            return first, other


@pytest.mark.parametrize("shown", [True, False], ids=["shown", "committed"])
def test_a_reference_to_nothing_and_to_what_is_new_is_in_no_other_place(server: Backend, shown: bool) -> None:
    """Also where it is indexed that there is none, and where what is new has no primary key yet."""
    made = declare(server)

    class Note(RelatedModel):
        database = made.db
        near = "person"
        person = FKInstanceHashField(made.person, related_name="notes")
        about = FKInstanceHashField(made.person, none=True, related_name="said_of")

    for _ in range(4):
        with Session(made.db) as session:
            person = made.person(tenant=made.tenant(name="t"), name="ann")
            plain, other = Note(person=person), Note(person=person, about=person)
            if shown:
                session.plan()
            session.commit()
        assert [plain.pk.get()] == list(Note.collection(about=None, person=person))
        assert [other.pk.get()] == list(Note.collection(about=person))


def test_what_follows_a_deletion_is_in_its_place(firm: SimpleNamespace) -> None:
    """References are cleared, and what refers by CASCADE is deleted, also over pending writes."""
    tenant = firm.tenant(name="t")
    ann, bob = firm.person(tenant=tenant, name="ann"), firm.person(tenant=tenant, name="bob")
    bob.boss.set(ann)
    order = firm.order(person=ann, what="x")
    with Session(firm.db) as s:
        ann.delete()
        assert bob.boss.get() is None
        assert [] == list(firm.order.collection(what="x"))
        s.commit()
    assert bob.boss.get() is None
    assert not firm.order.exists(order.pk.get())
    tenant.delete()
    assert bob.tenant.hget() is None
    assert [bob] == list(firm.person.collection(name="bob").instances())


def test_unique_together_with_what_it_is_near(firm: SimpleNamespace) -> None:
    """Two tenants may have the same, in one place or in two; one tenant may not."""
    tenants = [firm.tenant(name=f"t{number}") for number in range(20)]
    for tenant in tenants:
        firm.person(tenant=tenant, email="a@b")
    with pytest.raises(UniquenessError):
        firm.person(tenant=tenants[3], email="a@b")
    assert 20 == len(firm.person.collection(email="a@b"))
    assert 1 == len(firm.person.collection(email="a@b", tenant=tenants[3]))


# Handles.


def test_handles_of_one_object_are_equal(firm: SimpleNamespace) -> None:
    tenant = firm.tenant(name="t")
    pk = tenant.pk.get()
    same = [
        firm.tenant(pk),
        firm.tenant.get(pk),
        firm.tenant.get(name="t"),
        firm.tenant.lazy_connect(pk),
        firm.tenant.get_many([pk])[0],
        firm.tenant.collection().instances()[0],
    ]
    assert all(each == tenant and each.name.key == tenant.name.key for each in same)
    assert 1 == len(set(same))
    assert firm.tenant.exists(pk)
    assert pk in firm.tenant.collection()
    assert tenant in firm.tenant.collection().instances()
    assert {"pk": pk, "name": "t"} == tenant.to_dict()


@pytest.mark.parametrize("pk", ["7", "8", "9999999", "abc", "007", "9" * 5_000, "²"])
def test_what_is_not_there(firm: SimpleNamespace, pk: str) -> None:
    with pytest.raises(DoesNotExist):
        firm.tenant(pk)
    with pytest.raises(DoesNotExist):
        firm.tenant.get(pk)
    assert not firm.tenant.exists(pk)
    assert [] == firm.tenant.get_many([pk], missing="skip")
    with pytest.raises(DoesNotExist):
        firm.tenant.lazy_connect(pk).name.hset("x")


def test_a_counter_that_is_behind_is_told(firm: SimpleNamespace, server: Backend) -> None:
    """As for any model; what it must be set to is told for its place."""
    tenant = firm.tenant(name="t")
    (counter,) = [key for key in keys(server) if key.endswith(b":max_pk")]
    server.client().delete(counter)
    with pytest.raises(Exception, match=r"divided by 8"), Session(firm.db, on_pending="discard") as s:
        tenant.name.hset("u")
        firm.tenant(name="v")
        s.commit()


# The layout.


def test_another_number_of_shards_is_refused(server: Backend) -> None:
    """By reads and writes, before anything else is sent."""
    firm = declare(server, 8)
    tenant = firm.tenant(name="t")
    before = server.dump()
    for say in (
        lambda other: other.tenant(name="u"),
        lambda other: other.tenant(tenant.pk.get()),
        lambda other: len(other.tenant.collection()),
        lambda other: other.tenant.lazy_connect(tenant.pk.get()).name.hset("u"),
    ):
        other = declare(server, 16)
        for _ in range(2):
            with pytest.raises(ImplementationError, match=r"declared with 16 shards, and its data is in 8"):
                say(other)
    assert before == server.dump()
    assert {b"ns:tenant": b"8"} == server.client().hgetall("{uowredis}:layout")


def test_the_layout_is_stored_by_the_first_write(server: Backend) -> None:
    """Not by reads, and once; who comes second compares it before it writes."""
    firm, other = declare(server, 8), declare(server, 16)
    assert 0 == len(firm.tenant.collection()) == len(other.tenant.collection())
    assert {} == server.dump()
    firm.tenant(name="t")
    with pytest.raises(ImplementationError, match="its data is in 8"):
        other.tenant(name="u")
    assert 1 == len(firm.tenant.collection())


class Kept(RedisModel):
    """Where a pickle finds it."""

    database = RedisDatabase.embedded()
    shards = 16
    name = InstanceHashField(indexable=True)


def test_handles_are_pickled() -> None:
    """With the place of their object."""
    kept = [Kept(name="a") for _ in range(3)]
    assert kept == pickle.loads(pickle.dumps(kept))
    for each in kept:
        assert pickle.loads(pickle.dumps(each.identity.model)) is each.identity.model
