"""Upkeep of sharded models, place by place: what is wrong is found, and mended, where it is."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cluster.shards import declare, keys, tag
from tests.tools.backends import Backend, Embedded, Real
from tests.tools.cluster import Cluster
from uowredis import ImplementationError, InstanceHashField, RedisModel
from uowredis.maintenance import Misplaced, check, rebuild, repair
from uowredis.maintenance.rename import rename


@pytest.fixture(params=["embedded", "redis", "cluster"])
def anywhere(request: pytest.FixtureRequest) -> Backend | Cluster:
    """Each kind of server, empty."""
    names = {"embedded": "embedded", "redis": "real", "cluster": "cluster"}
    found: Embedded | Real | Cluster = request.getfixturevalue(names[request.param])
    return found


def filled(server: Backend | Cluster) -> SimpleNamespace:
    """Declare models, and create some objects of each."""
    firm = declare(server, 8)
    firm.tenants = [firm.tenant(name=f"t{number}") for number in range(12)]
    firm.people = [firm.person(tenant=firm.tenants[number % 12], name="ann", age=number) for number in range(30)]
    for number in range(10):
        firm.visitor(code=f"v{number}", name="x")
    return firm


def test_nothing_is_wrong(anywhere: Backend | Cluster) -> None:
    """Nor is anything mended, or written."""
    firm = filled(anywhere)
    models = (firm.tenant, firm.person, firm.order, firm.visitor)
    before = keys(anywhere).keys()
    assert [] == list(check(*models))
    assert [] == [each for each in repair(*models) if each.findings or each.left]
    assert [] == [each for each in rebuild(firm.person) if each.findings or each.left]
    assert {key for key in keys(anywhere) if b"__fingerprint__" not in key} == {
        key for key in before if b"__fingerprint__" not in key
    }


def test_what_is_wrong_is_mended_where_it_is(anywhere: Backend | Cluster) -> None:
    """Entries that lack, that are stale, of who has vanished; a counter that is behind: each in places of its own."""
    firm = filled(anywhere)
    found = keys(anywhere)
    spoiled = 0
    for key, client in found.items():
        if key.endswith(b":person:name:ann"):
            client.srem(key, client.srandmember(key))
            client.sadd(key.replace(b":ann", b":bob"), b"%d" % (8 * 1_000 + int(tag(key).split(b".")[0])))
            spoiled += 2
        if key.endswith(b":person:max_pk"):
            client.set(key, 0)
            spoiled += 1
    assert spoiled > 10
    faults = [finding.fault for finding in check(firm.person)]
    assert spoiled == len(faults), faults
    done = [finding for each in repair(firm.person) for finding in each.findings]
    assert spoiled == len(done)
    assert [] == list(check(firm.person))
    assert 30 == len(firm.person.collection(name="ann"))
    new = [firm.person(tenant=tenant) for tenant in firm.tenants]
    assert 42 == len({each.pk.get() for each in (*new, *firm.people)})


@pytest.mark.parametrize("namespace", ["ns", "a[b]?-{c}\\"])
def test_an_index_that_is_lost_is_filled_again(anywhere: Backend | Cluster, namespace: str) -> None:
    """In all places, one index or all of them; characters of patterns in the namespace are none."""
    database = anywhere.database()
    fields = {"name": InstanceHashField(indexable=True), "age": InstanceHashField(type=int, indexable="range")}
    thing: Any = type("Thing", (RedisModel,), {"database": database, "namespace": namespace, "shards": 64, **fields})
    thing.create_many([{"name": f"n{number % 3}", "age": number} for number in range(60)], batch=1)

    def lose() -> int:
        lost = [(key, client) for key, client in keys(anywhere).items() if b":thing:name:" in key]
        for key, client in lost:
            client.delete(key)
        return len(lost)

    assert lose() > 20
    assert 60 == len([finding for finding in check(thing) if finding.fault == "missing entry"])
    assert 60 == sum(len(each.findings) for each in rebuild(thing, "name"))
    assert lose() > 20
    assert 60 == sum(len(each.findings) for each in rebuild(thing))
    assert [] == list(check(thing))
    assert 20 == len(thing.collection(name="n1"))


def test_objects_in_the_wrong_place_are_told(anywhere: Backend | Cluster) -> None:
    """Nobody looks for them there; they are left."""
    firm = filled(anywhere)
    key, client = next((key, client) for key, client in keys(anywhere).items() if key.endswith(b":visitor:collection"))
    wrong = next(code for code in map(str, range(100)) if firm.visitor._schema.at(code).keys.place.encode() != tag(key))
    client.sadd(key, wrong)
    (finding,) = [each for each in check(firm.visitor) if not each.is_note]
    assert isinstance(finding, Misplaced)
    assert f"Visitor <{wrong}> is in {{{tag(key).decode()}}}, and is looked for in {{" in str(finding)
    assert [finding] == [left for each in repair(firm.visitor) for left in each.left]


def test_another_number_of_shards_is_told(anywhere: Backend | Cluster) -> None:
    filled(anywhere)
    with pytest.raises(ImplementationError, match="its data is in 8"):
        list(check(declare(anywhere, 4).tenant))


@pytest.mark.parametrize("how", [lambda model: rename(model, "name", "called")])
def test_a_rename_is_refused(server: Backend, how: Callable[[Any], object]) -> None:
    with pytest.raises(ImplementationError, match=r"is sharded, and rename\(\)"):
        how(declare(server).tenant)
