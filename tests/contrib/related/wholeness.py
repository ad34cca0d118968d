"""Read from a dump, by code that shares nothing with the planner: is every relation there whole, or not at all?"""

from collections.abc import Mapping
from typing import Any

from tests.tools.backends import Dump

#: Of each model the indexed fields, each with the model that it refers to, None for a plain value.
Shapes = Mapping[str, Mapping[str, str | None]]
Index = dict[str, set[str]]


def check_whole(dump: Dump, shapes: Shapes, dangling: Index | None = None) -> None:
    """Check that indexes say what fields say, nothing is stored of who is not there, and no reference dangles.

    Args:
        dump: all data.
        shapes: the models.
        dangling: the references to what is not there that are right, by index key.
    """
    data = decoded(dump)
    there = {model: data.get(f":{model}:collection", set()) for model in shapes}
    derived = _derived(data, shapes, there)
    assert derived == {key: pks for key, pks in data.items() if _is_index(key, shapes)}
    assert [] == [key for key in data if key not in derived and not _belongs(key, there)]
    missing = {
        key: pks
        for key, pks in derived.items()
        for model, field, pk in [key.split(":")[1:]]
        for to in [shapes[model][field]]
        if to is not None and pk not in there[to]
    }
    assert missing == (dangling or {})


def _derived(data: Mapping[str, Any], shapes: Shapes, there: Mapping[str, set[str]]) -> Index:
    index: Index = {}
    for model, fields in shapes.items():
        for pk in there[model]:
            for field in fields:
                for value in held(data, model, pk, field):
                    index.setdefault(f":{model}:{field}:{value}", set()).add(pk)
    return index


def held(data: Mapping[str, Any], model: str, pk: str, field: str) -> list[str]:
    """Return what a field of one object holds, in its order: members without their scores."""
    content = data.get(f":{model}:{pk}:{field}")
    if content is None:
        content = data.get(f":{model}:{pk}:hash", {}).get(field)
    if content is None:
        return []
    if isinstance(content, str):
        return [content]
    return sorted(content) if isinstance(content, set) else list(content)


def _is_index(key: str, shapes: Shapes) -> bool:
    return any(key.startswith(f":{model}:{field}:") for model, fields in shapes.items() for field in fields)


def _belongs(key: str, there: Mapping[str, set[str]]) -> bool:
    _, model, *rest = key.split(":")
    return rest in (["collection"], ["max_pk"]) or (len(rest) == 2 and rest[0] in there[model])


def decoded(dump: Dump) -> dict[str, Any]:
    """Return *dump* as text; of sorted sets the members only."""
    return {key.decode(): _text(value) for key, (_, value) in dump.items()}


def _text(value: Any) -> Any:
    match value:
        case bytes():
            return value.decode()
        case dict():
            return {_text(name): _text(content) for name, content in value.items()}
        case frozenset():
            return set(map(_text, value))
        case _:
            return [_text(item[0] if isinstance(item, tuple) else item) for item in value]
