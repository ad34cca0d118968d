"""The oracle: reads a whole server with plain redis-py and says what keys its objects entitle it to.

It shares nothing with the library, neither its code nor its schema: how keys are spelled and which fields are indexed
is written here once more. A walk judged by the library's own rules would miss a fault in them.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import attrs
import redis

from tests.tools.backends import is_data

Data = dict[bytes, Any]

_READERS = {
    b"string": lambda client, key: client.get(key),
    b"hash": lambda client, key: client.hgetall(key),
    b"list": lambda client, key: client.lrange(key, 0, -1),
    b"set": lambda client, key: client.smembers(key),
    b"zset": lambda client, key: client.zrange(key, 0, -1, withscores=True),
}

#: Field to its Redis type; ``entry`` is one entry of the hash of the instance.
FIELDS = {
    "title": "string",
    "code": "string",
    "count": "string",
    "name": "entry",
    "email": "entry",
    "note": "entry",
    "headers": "hash",
    "tags": "set",
    "badges": "set",
    "rows": "list",
    "ranks": "zset",
}
WITHOUT_INDEX = ("count", "note")
UNIQUE = ("code", "email", "badges")
MODELS = (b":thing", b":Was.Named")
COUNTERS = tuple(model + b":max_pk" for model in MODELS)


def stored(model: bytes, field: str) -> bytes:
    """Return what *field* of *model* is called in keys and in the hash."""
    return (b"was-" if model == b":Was.Named" else b"") + field.encode()


def read(client: redis.Redis) -> Data:
    """Return all data: key to value, of the Python type that redis-py gives for the key's type."""
    keys = list(filter(is_data, dict.fromkeys(client.scan_iter(count=1000))))
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        pipeline.type(key)
    types = pipeline.execute()
    for key, kind in zip(keys, types, strict=True):
        _READERS[kind](pipeline, key)
    return dict(zip(keys, pipeline.execute(), strict=True))


def without_counters(data: Data) -> Data:
    """Return *data* but the counters of pks: gaps in the pks are allowed."""
    return {key: value for key, value in data.items() if key not in COUNTERS}


@attrs.define
class Expected:
    """What a server may hold, derived from the collections of pks and the values of the fields.

    Attributes:
        own: the keys that hold fields, the collections and the counters.
        index: the index keys with the pks under them.
        holders: the index keys of unique fields with the pks that hold their value.
    """

    own: set[bytes] = attrs.field(factory=set)
    index: dict[bytes, set[bytes]] = attrs.field(factory=lambda: defaultdict(set))
    holders: dict[bytes, set[bytes]] = attrs.field(factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, data: Data) -> "Expected":
        """Return what *data* may hold."""
        expected = cls(set(COUNTERS) & data.keys())
        for model in MODELS:
            pks = data.get(model + b":collection", set())
            if pks:
                expected.own.add(model + b":collection")
            for pk in pks:
                expected._take_object(data, model, pk)
        return expected

    def _take_object(self, data: Data, model: bytes, pk: bytes) -> None:
        for field, kind in FIELDS.items():
            name = stored(model, field)
            key = b":".join((model, pk, b"hash" if kind == "entry" else name))
            if key not in data:
                continue
            self.own.add(key)
            for value in _index_values(name, kind, data[key]):
                place = b":".join((model, name, value))
                if field not in WITHOUT_INDEX:
                    self.index[place].add(pk)
                if field in UNIQUE:
                    self.holders[place].add(pk)


def _index_values(name: bytes, kind: str, found: Any) -> Iterator[bytes]:
    """Yield what stands behind the field's *name* in the index keys of a field that holds *found*."""
    match kind:
        case "string":
            yield found
        case "entry":
            if name in found:
                yield found[name]
        case "hash":
            for entry, value in found.items():
                yield entry + b":" + value
        case "zset":
            for member, _ in found:
                yield member
        case _:
            yield from found


def check_indexes(data: Data) -> None:
    """Assert that indexes, collections and fields agree in *data*, and that nothing else is there."""
    expected = Expected.of(data)
    rest = {key: value for key, value in data.items() if key not in expected.own}
    assert dict(expected.index) == rest


def check_unique(data: Data) -> None:
    """Assert that no two objects in *data* hold one value of a unique field."""
    assert {} == {key: pks for key, pks in Expected.of(data).holders.items() if len(pks) > 1}
