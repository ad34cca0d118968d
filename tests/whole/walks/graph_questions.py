"""What is asked on a walk over a graph, of the library and of the model."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs
from hypothesis import strategies as st

from tests.whole.walks.graph_oracle import LINKS, Key, New, State, references, settled
from tests.whole.walks.graph_walk import PLACES, Speaker
from uowredis import DoesNotExist

_VALUES = {
    "string": lambda field: field.get(),
    "entry": lambda field: field.hget(),
    "set": lambda field: field.smembers(),
    "list": lambda field: field.lrange(0, -1),
    "zset": lambda field: dict(field.zrange(0, -1, withscores=True)),
}
_EMPTY = {"string": None, "entry": None, "set": set(), "list": [], "zset": {}}
_COUNTS = {"set": "scard", "list": "llen", "zset": "zcard"}


def _holding(state: State, model: str, field: str, to: Key) -> list[Any]:
    return [key[1] for key in state if key[0] == model and (field, to) in [each[1:] for each in references(state, key)]]


def _first(row: tuple[Any, ...]) -> Any:
    return row[0]


def _paths(model: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield a link with one reference, a link of what it refers to, and of which kind that is, and where it points."""
    for name, link in LINKS[model].items():
        if link.kind in ("string", "entry"):
            yield name, "label", "entry", ""
            for further, next_link in LINKS[link.to].items():
                yield name, further, next_link.kind, next_link.to


def _far_names(model: str) -> list[str]:
    """Return the names of all that lies one reference away, and of labels two away; and of all that is here."""
    found = [f"{name}__{further}" for name, further, _, _ in _paths(model)]
    found += [f"{name}__{further}__label" for name, further, kind, to in _paths(model) if _one(kind, to)]
    return found + list(LINKS[model])


def _one(kind: str, to: str) -> bool:
    return bool(to) and kind in ("string", "entry")


def _held(state: State, model: str, pk: Any, name: str, kind: str) -> Any:
    """Return what an object holds, None where there is no such object to ask; a list for one."""
    if pk is None:
        return None
    held = state.get((model, pk), {}).get(name)
    held = _EMPTY[kind] if held is None else held
    return list(held) if kind == "list" else held


def _far(state: State, model: str, pk: Any) -> Iterator[Any]:
    """Yield what :func:`_far_names` names."""
    links = LINKS[model]
    for name, further, kind, _ in _paths(model):
        yield _held(state, links[name].to, state[model, pk].get(name), further, kind)
    for name, further, kind, to in _paths(model):
        if _one(kind, to):
            between = _held(state, links[name].to, state[model, pk].get(name), further, kind)
            yield _held(state, to, between, "label", "entry")
    for name, link in links.items():
        yield _held(state, model, pk, name, link.kind)


def _steps(model: str) -> dict[str, str]:
    """Return what leads on from a model, each with where: its links, and the other sides of links to it."""
    links = {name: link.to for name, link in LINKS[model].items()}
    sides = {f"{name}_of": of for of, theirs in LINKS.items() for name, link in theirs.items() if link.to == model}
    return links | sides


def _many_names(model: str) -> list[str]:
    """Return the names of paths over many: other sides, and what lies one step and two steps away."""
    steps = _steps(model)
    found = [name for name in steps if name.endswith("_of")]
    found += [f"{name}__{last}" for name in steps for last in ("pk", "label")]
    return found + [f"{name}__{further}__label" for name, to in steps.items() for further in _steps(to)]


def _in_order(model: str, pks: Iterable[str]) -> list[str]:
    """Return *pks* as numbers where they are counted, else by their bytes."""
    return sorted(pks, key=str.encode) if model == "Named" else sorted(pks, key=int)


def _led(state: State, model: str, pk: Any, name: str) -> Any:
    """Return what a path *name* leads to from an object: in lists where it goes over many."""
    first, _, rest = name.partition("__")
    if pk is None or first in ("pk", "label"):
        return pk if pk is None or first == "pk" else state.get((model, pk), {}).get("label")
    to = _steps(model)[first]
    if first.endswith("_of"):
        pks = _in_order(to, _holding(state, to, first.removesuffix("_of"), (model, pk)))
        return [_led(state, to, each, rest) for each in pks] if rest else set(pks)
    kind = LINKS[model][first].kind
    held = _held(state, model, pk, first, kind)
    if kind in ("string", "entry"):
        return _led(state, to, held, rest)
    if kind == "set":
        held = _in_order(to, held)
    elif kind == "zset":
        held = sorted(held, key=lambda each: (held[each], each.encode()))
    return [_led(state, to, each, rest) for each in held]


@attrs.frozen
class Question:
    """A question about the field *name* of the object *key*, and about the object *to*, which it may refer to."""

    kind: str
    key: Key
    name: str
    to: Key

    @property
    def _type(self) -> str:
        return LINKS[self.key[0]][self.name].kind

    def expected(self, state: State) -> Any:
        """Return the answer that a server gives that holds *state*."""
        (model, _), name = self.key, self.name
        held = state.get(self.key, {}).get(name)
        pks = [key[1] for key in state if key[0] == model]
        match self.kind:
            case "value":
                held = _EMPTY[self._type] if held is None else settled(held)
                return list(held) if self._type == "list" else held
            case "count" if self._type in _COUNTS:
                return len(held or ())
            case "count" | "has":
                return self.to[1] in (held if isinstance(held, tuple | frozenset | dict) else (held,))
            case "other side" | "query":
                return sorted(settled(_holding(state, model, name, self.to)))
            case "length":
                return len(_holding(state, model, name, self.to))
            case "exists by":
                return bool(_holding(state, model, name, self.to))
            case "referred to":
                refers = references(state, self.key) if self.key in state else ()
                found = [to[1] for _, field, to in refers if field == name and to in state]
                return sorted(set(settled(found)))
            case "there":
                return self.key in state
            case "all":
                return sorted(settled(pks))
            case "far" | "loaded":
                return sorted(settled([(pk, *_far(state, model, pk)) for pk in pks]), key=_first)
            case "many":
                state, names = settled(state), _many_names(model)
                pks = [key[1] for key in state if key[0] == model]
                return sorted([(pk, *(_led(state, model, pk, each) for each in names)) for pk in pks], key=_first)
            case _:
                single = [field for field, link in LINKS[model].items() if link.kind in ("string", "entry")]
                rows = [(pk, *(state[model, pk].get(field) for field in single)) for pk in pks]
                return sorted(settled(rows))

    def answer(self, speaker: Speaker) -> Any:
        """Return the library's answer."""
        model, handle, name = speaker.graph.models[self.key[0]], speaker.handle(self.key), self.name
        field, to = getattr(handle, name), speaker.given(self.to[0], self.to[1], "instance")
        match self.kind:
            case "value":
                return _VALUES[self._type](field)
            case "count" if self._type in _COUNTS:
                return getattr(field, _COUNTS[self._type])()
            case "count" | "has":
                return self._has(field, to)
            case "other side":
                return sorted(getattr(to, f"{name}_of")())
            case "query":
                return sorted(model.collection(**{name: to}))
            case "length":
                return len(getattr(to, f"{name}_of")())
            case "exists by":
                return model.exists(**{name: to})
            case "referred to" if self._type in _COUNTS:
                return sorted(field())
            case "referred to":
                return self._instance(field)
            case "there":
                return model.exists(_pk(self.key))
            case "all":
                return sorted(model.collection())
            case "far":
                return sorted(model.collection().values_list("pk", *_far_names(self.key[0])), key=_first)
            case "many":
                return sorted(model.collection().values_list("pk", *_many_names(self.key[0])), key=_first)
            case "loaded":
                found = model.collection().instances(load=_far_names(self.key[0]))
                return sorted([(each.pk.get(), *each.loaded.values()) for each in found], key=_first)
            case _:
                single = [field for field, link in LINKS[self.key[0]].items() if link.kind in ("string", "entry")]
                return sorted(model.collection().values_list("pk", *single))

    def _has(self, field: Any, to: Any) -> bool:
        if self._type == "set":
            return bool(field.sismember(to))
        if self._type == "zset":
            return field.zscore(to) is not None
        pk = _pk(self.to)
        return pk in (field.lrange(0, -1) if self._type == "list" else [field.get()])

    def _instance(self, field: Any) -> list[str]:
        try:
            found = field.instance()
        except DoesNotExist:
            return []
        return [] if found is None else [found.pk.get()]


def _pk(key: Key) -> str:
    """Return the pk, counted now where there is none yet."""
    pk: str = key[1].handle.pk.get() if isinstance(key[1], New) else key[1]
    return pk


OF_ALL = ("there", "all", "rows", "far", "loaded", "many", "many")
KINDS = ("value", "value", "count", "has", "other side", "query", "length", "exists by", "referred to")


@attrs.frozen
class Asked:
    """A question, before it is known which objects there are."""

    kind: str
    who: int
    field: int
    to: int

    def of(self, there: list[Key]) -> Question | None:
        """Return the question about objects that are *there*."""
        key = there[self.who % len(there)]
        name = [*LINKS[key[0]]][self.field]
        others = [other for other in there if other[0] == LINKS[key[0]][name].to]
        return Question(self.kind, key, name, others[self.to % len(others)]) if others else None


ASKED = st.builds(Asked, st.sampled_from([*KINDS, *OF_ALL]), PLACES, st.integers(0, 4), PLACES)


def about_changes(standing: State, state: State, asked: Sequence[Asked]) -> Iterator[Question]:
    """Yield questions about what follows from deletions: *state* follows from *standing*.

    As many as are *asked*, and some about each object that is gone with others.
    """
    changed = [
        (key, name, to)
        for key in sorted(standing, key=str)
        for _, name, to in references(standing, key)
        if isinstance(to[1], str) and standing[key][name] != state.get(key, {}).get(name)
    ]
    picked = [(each.kind, *changed[each.who % len(changed)]) for each in asked] if changed else []
    picked += [(kind, *each) for each in changed if each[0] not in state for kind in ("there", "value")]
    for kind, key, name, to in picked:
        # An object that is gone with others has no pk to ask for while it is new.
        if isinstance(key[1], str) or key in state:
            yield Question(kind, key, name, to)
