"""What the benchmark says of relations: groups and their members, things and their owners, and the same by hand.

The hand-written half keeps the same reverse indexes: for each field that refers, a set of pks for each object referred
to. The models are those of the documented example, with pks of their own.
"""

from collections.abc import Iterable, Sequence

import redis

from uowredis import InstanceHashField, RedisDatabase, Session
from uowredis.contrib.related import FKInstanceHashField, M2MSetField, RelatedModel

#: How many members each group gets, and how many things each owner has.
MEMBERS, THINGS = 10, 200


class Related(RelatedModel):
    """What the models share."""

    abstract = True
    database = RedisDatabase()


class Member(Related):
    name = InstanceHashField()


class Group(Related):
    name = InstanceHashField()
    members = M2MSetField("Member")


class Room(Related):
    keeper = FKInstanceHashField("Member")


class Owner(Related):
    name = InstanceHashField()


class Thing(Related):
    name = InstanceHashField()
    owner = FKInstanceHashField("Owner")


def create(database: RedisDatabase, groups: int, members: int) -> tuple[list[Group], list[list[Member]]]:
    """Create groups without members, and *members*; return with each group those to be added to it.

    Each member comes into as many groups as the others.
    """
    with Session(database) as s:
        made = [Group(name=f"Group {i}") for i in range(groups)]
        there = [Member(name=f"Member {i}") for i in range(members)]
        s.commit()
    return made, [[there[(i * MEMBERS + j) % members] for j in range(MEMBERS)] for i in range(groups)]


def add(database: RedisDatabase, groups: Sequence[Group], chosen: Sequence[Sequence[Member]]) -> None:
    """Add to each group its members, all in one session."""
    with Session(database) as s:
        for group, members in zip(groups, chosen, strict=True):
            group.members.sadd(*members)
        s.commit()


def add_by_hand(client: redis.Redis, groups: Sequence[str], chosen: Sequence[Sequence[str]]) -> None:
    """Add the same in one MULTI ... EXEC of redis-py's pipeline; nothing is looked at before."""
    with client.pipeline(transaction=True) as pipe:
        for group, members in zip(groups, chosen, strict=True):
            pipe.sadd(f":group:{group}:members", *members)
            for member in members:
                pipe.sadd(f":group:members:{member}", group)
        pipe.execute()


def create_owners(database: RedisDatabase, owners: int) -> list[Owner]:
    """Create *owners* with their things."""
    with Session(database) as s:
        made = [Owner(name=f"Owner {i}") for i in range(owners)]
        for owner in made:
            for i in range(THINGS):
                Thing(name=f"Thing {i}", owner=owner)
        s.commit()
    return made


def delete(owners: Sequence[Owner]) -> None:
    """Delete *owners*, one after the other, outside any session; what they had stays, without owner."""
    for owner in owners:
        owner.delete()


def delete_by_hand(client: redis.Redis, owners: Sequence[str], *, trusting: bool) -> None:
    """Delete the same, each under WATCH, as redis-py's documentation shows it.

    Args:
        client: whose replies are bytes.
        owners: their pks.
        trusting: take it that each thing in the index refers to the owner; else read what it really refers to.
    """
    with client.pipeline() as pipe, client.pipeline(transaction=False) as reader:
        for pk in owners:
            _delete_one_by_hand(pipe, None if trusting else reader, pk)


def _delete_one_by_hand(pipe: redis.client.Pipeline, reader: redis.client.Pipeline | None, pk: str) -> None:
    """Delete one: whoever gives it a thing, or takes one away, changes a watched key, and then it is done again."""
    key, index = f":owner:{pk}:hash", f":thing:owner:{pk}"
    while True:
        try:
            pipe.watch(key, index)
            things = pipe.smembers(index)
            if reader is not None:
                things = _referring(reader, things, pk)
            pipe.multi()
            pipe.delete(key, index)
            for thing in things:
                pipe.hdel(b":thing:%b:hash" % thing, "owner")
            pipe.srem(":owner:collection", pk)
            pipe.execute()
            return
        except redis.WatchError:
            continue


def _referring(reader: redis.client.Pipeline, things: Iterable[bytes], pk: str) -> list[bytes]:
    """Return those of *things* that refer to the owner; *reader* has a connection beside the one that watches."""
    listed = list(things)
    for thing in listed:
        reader.hget(b":thing:%b:hash" % thing, "owner")
    return [thing for thing, owner in zip(listed, reader.execute(), strict=True) if owner == pk.encode()]
