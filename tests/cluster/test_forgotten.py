"""A failover to a replica that lags: what was acknowledged may be forgotten, and what is told then is true, too."""

import os
import signal
from typing import Any

import pytest

from tests.cluster.shards import declare
from tests.tools.cluster import Cluster
from uowredis import NotReplicated, OutcomeUnknown, Session, Unreachable
from uowredis.executor.line import Line
from uowredis.schema.keys import slot_of


@pytest.fixture
def replicated() -> Any:
    """A cluster of its own: what is stopped and killed is no use to others."""
    with Cluster.start(3, replicas=True) as cluster:
        yield cluster


def test_what_is_told_is_true_of_the_surviving_history(replicated: Cluster) -> None:
    """Commits that no replica had are told so; those after the failover are right in every key, and a token of the
    forgotten history says so once for all.
    """
    firm = declare(replicated, 64, settle_for=30)
    tenant = firm.tenant(name="before")
    people = [firm.person(tenant=tenant, name="ann", age=number) for number in range(3)]
    place = tenant.identity.model.keys.place
    dead = replicated.having(slot_of(place))
    replicated.wait_for_replicas()
    replica = replicated.replicas[dead]
    lagging = replica.client().info("server")["process_id"]
    os.kill(lagging, signal.SIGSTOP)
    shortfalls = 0
    try:
        # More than the buffers of the kernel hold, so that what comes behind it never leaves the master.
        for _ in range(40):
            replicated.clients()[dead].set(f"{{{place}}}pad", b"x" * 1_000_000)
        for number in range(5):
            try:
                with Session(firm.db, replicas=1, on_pending="discard") as s:
                    people[0].age.hset(100 + number)
                    people[1].name.hset("bob")
                    s.commit()
            except NotReplicated:
                # It was applied, and nobody else has it.
                shortfalls += 1
                assert 100 + number == people[0].age.hget()
        assert 5 == shortfalls
        token = Line(lambda: firm.db._executor).token(tenant.identity.model.keys.token)
        assert token is not None
        replicated.masters[dead].kill()
    finally:
        os.kill(lagging, signal.SIGCONT)
    replicated.take_over(dead)
    # A commit of the forgotten history: it is asked of the one that survived, and never will be applied.
    assert "not applied" == firm.db.settle(token)
    # Those that were acknowledged by one server are gone, whole: no index says otherwise.
    assert [0, 1, 2] == [person.age.hget() for person in people]
    assert sorted(each.pk.get() for each in people) == sorted(firm.person.collection(name="ann"))
    assert [] == list(firm.person.collection(name="bob")) == list(firm.person.collection(age__gte=100))
    told = 0
    for number in range(20):
        try:
            with Session(firm.db, on_pending="discard") as s:
                people[0].age.hincrby(1)
                people[2].name.hset(f"n{number}")
                s.commit()
            told += 1
        except (OutcomeUnknown, Unreachable) as error:
            pytest.fail(f"settle_for is longer than the election: {error}")
    assert told == people[0].age.hget()
    assert [people[0]] == list(firm.person.collection(age=told).instances())
    assert [people[2]] == list(firm.person.collection(name="n19").instances())
    client = replicated.clients()[replicated.having(slot_of(place))]
    assert b"20" == client.hget(people[0].age.key, "age")
    assert {people[0].pk.get().encode()} == client.smembers(f"{{{place}}}:ns:person:age:20")
