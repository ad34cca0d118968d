"""Sharded models for tests, and what of their layout must be so, worked out by other means than the library's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import redis

from tests.tools.backends import Backend
from tests.tools.cluster import Cluster
from uowredis import InstanceHashField, PKField, SetField, SortedSetField, StringField
from uowredis.contrib.indexes import EqualIndexWith
from uowredis.contrib.related import CASCADE, FKInstanceHashField, FKStringField, M2MSetField, RelatedModel
from uowredis.indexes import EqualIndex, TextRangeIndex


def declare(server: Backend | Cluster, count: int = 8, **options: Any) -> SimpleNamespace:
    """Declare tenants in *count* shards, persons and orders near them, and visitors, who choose their primary keys."""

    class Placed(RelatedModel):
        abstract = True
        database = server.database(**options)
        namespace = "ns"

    class Tenant(Placed):
        shards = count
        name = InstanceHashField(indexable=True)

    class Person(Placed):
        near = "tenant"
        tenant = FKInstanceHashField(Tenant)
        email = InstanceHashField(
            indexable=True, indexes=[EqualIndex, EqualIndexWith.configure(other_fields=["tenant"], unique=True)]
        )
        name = InstanceHashField(indexable=True, indexes=[EqualIndex, TextRangeIndex])
        age = InstanceHashField(type=int, indexable="range")
        tags = SetField(indexable=True)
        ranks = SortedSetField()
        friends = M2MSetField("self", related_name="friend_of")
        boss = FKStringField("self", related_name="staff")

    class Order(Placed):
        near = "person"
        person = FKInstanceHashField(Person, on_delete=CASCADE)
        what = StringField(indexable=True)

    class Visitor(Placed):
        shards = count
        code = PKField()
        name = InstanceHashField(indexable=True)
        seen = InstanceHashField(type=int, indexable="range")

    return SimpleNamespace(db=Placed.database, tenant=Tenant, person=Person, order=Order, visitor=Visitor, count=count)


def clients(server: Backend | Cluster) -> list[redis.Redis]:
    """Return a plain client of each server that holds data."""
    return server.clients() if isinstance(server, Cluster) else [server.client()]


def keys(server: Backend | Cluster) -> dict[bytes, redis.Redis]:
    """Return all keys, each with a plain client of who has it."""
    return {key: client for client in clients(server) for key in client.scan_iter(count=10_000)}


def crc16(text: bytes) -> int:
    """Return the checksum of the specification of Redis Cluster, bit by bit."""
    crc = 0
    for byte in text:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
            crc &= 0xFFFF
    return crc


def tag(key: bytes) -> bytes:
    """Return what stands between the first braces of a key."""
    return key[key.index(b"{") + 1 : key.index(b"}")]


def shard(key: bytes) -> int:
    """Return the number of the shard that a key is in."""
    return int(tag(key).split(b".")[0])
