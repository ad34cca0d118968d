"""What redis-limpyd reads of the corpus, and how it is written down."""

import json
from typing import Any

from limpyd import fields


def keys(redis: Any) -> dict[str, dict[str, Any]]:
    """Return all keys by their types, each as plain values."""
    read = {
        "string": redis.get,
        "hash": redis.hgetall,
        "list": lambda key: redis.lrange(key, 0, -1),
        "set": lambda key: sorted(redis.smembers(key)),
        "zset": lambda key: dict(redis.zrange(key, 0, -1, withscores=True)),
    }
    return {
        kind: {key: get(key) for key in sorted(redis.keys("*")) if redis.type(key) == kind}
        for kind, get in read.items()
    }


def objects(model: Any) -> dict[str, dict[str, Any]]:
    """Return what limpyd reads of all objects: fields that hold something, sets in order, scores with their members."""
    found = {}
    for pk in sorted(model.collection()):
        instance = model(pk)
        held = {}
        for field in instance.get_fields():
            if isinstance(field, fields.PKField):
                continue
            scored = isinstance(field, fields.SortedSetField)
            value = dict(field.zrange(0, -1, withscores=True)) if scored else field.proxy_get()
            if value not in (None, [], set(), {}):
                held[field.name] = sorted(value) if isinstance(value, set) else value
        found[pk] = held
    return found


def queries(model: Any) -> list[list[Any]]:
    """Return what collections of limpyd find by each value that an object holds: filter, value, primary keys."""
    asked = set()
    for held in objects(model).values():
        for name, value in held.items():
            field = model.get_field(name)
            if not field.indexable:
                continue
            if isinstance(field, fields.HashField):
                asked |= {(f"{name}__{entry}", each) for entry, each in value.items()}
            else:
                asked |= {(name, each) for each in ([value] if isinstance(value, str) else value)}
    return [[name, value, sorted(model.collection(**{name: value}))] for name, value in sorted(asked)]


def in_lines(value: Any, depth: int = 3) -> str:
    """Return *value* as JSON, a line for each thing that somebody may look for."""
    if depth and isinstance(value, dict):
        items = [f"{json.dumps(key)}: {in_lines(item, depth - 1)}" for key, item in sorted(value.items())]
        return "{\n" + ",\n".join(items) + "\n}"
    if depth and isinstance(value, list):
        return "[\n" + ",\n".join(in_lines(item, 0) for item in value) + "\n]"
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
