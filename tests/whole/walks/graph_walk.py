"""What is said on a walk over a graph: how draws become commands, in the model and in the library."""

from typing import Any

import attrs
from hypothesis import strategies as st

from tests.whole.walks.graph import Graph
from tests.whole.walks.graph_oracle import LINKS, VERBS, Key, Link, New, Ref, State, Wrote

#: One of them is, with its colon, what no careless cutting of keys survives, one is also counted by other models.
CHOSEN_PKS = ("x", "1", "a:b")
#: Pks that no object ever has.
MISSING = {"Leaf": "0", "Named": "nobody", "Far": "0"}

PLACES = st.integers(0, 11)


@attrs.frozen
class Draw:
    """Whom to refer to, and how to say it: by an instance, looked up or not, or by its primary key."""

    place: int
    style: str
    chance: int


@attrs.frozen
class Move:
    """A command on a field, before it is known which objects there are."""

    who: int
    field: int
    verb: int
    refs: tuple[Draw, ...]
    number: int


@attrs.frozen
class Birth:
    """An object to make; pks are chosen by place."""

    model: str
    pk: int
    label: bool
    values: tuple[tuple[int, tuple[Draw, ...]], ...]


REFS = st.lists(
    st.builds(Draw, PLACES, st.sampled_from(["instance", "lazy", "pk"]), st.integers(0, 11)), min_size=2, max_size=3
).map(tuple)
MOVES = st.builds(Move, PLACES, st.integers(0, 4), st.integers(0, 19), REFS, st.integers(0, 2))
VALUES = st.lists(st.tuples(st.integers(0, 4), REFS), max_size=2).map(tuple)
BIRTHS = st.builds(Birth, st.sampled_from([*LINKS]), st.integers(0, 2), st.booleans(), VALUES)

#: The commands that make references come twice, so that graphs are dense.
_OFTEN = {
    "string": ["set", *VERBS["string"]],
    "entry": ["hset", *VERBS["entry"]],
    "set": ["sadd", *VERBS["set"]],
    "list": ["rpush", "lpush", *VERBS["list"]],
    "zset": ["zadd", *VERBS["zset"]],
}
_WITHOUT_REFS = ("delete", "hdel", "spop", "lpop", "ltrim", "zremrangebyscore")
_ALL_REFS = ("sadd", "srem", "rpush", "lpush", "zadd", "zrem")


def verb_of(kind: str, place: int) -> tuple[str, int]:
    """Return a command on a field of that type, and how many references it takes, at most."""
    verb = _OFTEN[kind][place % len(_OFTEN[kind])]
    return verb, 0 if verb in _WITHOUT_REFS else 9 if verb in _ALL_REFS else 2 if verb == "linsert" else 1


@attrs.define
class Speaker:
    """Says commands through one client's models."""

    graph: Graph

    def handle(self, key: Key, style: str = "instance") -> Any:
        """Return a handle of the object *key*."""
        model, ref = key
        return ref.handle if isinstance(ref, New) else self.graph.handle(model, ref, tested=style != "lazy")

    def given(self, to: str, ref: Ref, style: str) -> Any:
        """Return what is given for a reference."""
        if isinstance(ref, New):
            return ref.pk if style == "pk" and ref.pk is not None else ref.handle
        return ref if style == "pk" else self.handle((to, ref), style)

    def chosen(self, draw: Draw, link: Link, state: State, ended: set[Key]) -> tuple[Ref, str]:
        """Return whom *draw* means among the objects of *state*, those just deleted, and others; and how to say it."""
        to = link.to
        there = sorted([ref for model, ref in state if model == to], key=_order)
        gone = sorted([ref for model, ref in ended if model == to and isinstance(ref, str)])
        # What is checked would be refused: seldom.
        if (draw.chance == 0 and (not link.check or draw.place == 0)) or (not there and not link.check):
            return MISSING[to], "pk" if draw.style == "instance" else draw.style
        if draw.chance in (1, 2, 3) and gone:
            return gone[draw.place % len(gone)], draw.style
        if to == "Named":
            return (there or CHOSEN_PKS)[draw.place % len(there or CHOSEN_PKS)], draw.style
        if draw.chance == 1 or not there:
            return New(self.graph.models[to]()), "instance"
        return there[draw.place % len(there)], draw.style

    def move(self, key: Key, move: Move, state: State, ended: set[Key]) -> tuple[Wrote, Any]:
        """Return the command that *move* is on the object *key*, and what says it."""
        name = [*LINKS[key[0]]][move.field]
        link = LINKS[key[0]][name]
        verb, most = verb_of(link.kind, move.verb)
        if link.on_delete == "restrict" and move.number == 0:
            # Else most deletions would be refused.
            verb, most = ("hdel" if link.kind == "entry" else "delete"), 0
        chosen = [self.chosen(draw, link, state, ended) for draw in move.refs[:most]]
        refs = tuple(ref for ref, _ in chosen)
        given = [self.given(link.to, ref, style) for ref, style in chosen]

        def say() -> Any:
            return tell(getattr(self.handle(key, move.refs[0].style), name), verb, given, move.number)

        return Wrote(key, name, verb, refs, move.number), say

    def birth(self, birth: Birth, state: State, ended: set[Key]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the values of an object to make, and how they are given."""
        values: dict[str, Any] = {"label": "here"} if birth.label or not birth.values else {}
        given: dict[str, Any] = dict(values)
        for place, draws in birth.values:
            name = [*LINKS[birth.model]][place]
            link = LINKS[birth.model][name]
            chosen = [self.chosen(draw, link, state, ended) for draw in draws]
            refs = tuple(ref for ref, _ in chosen)
            said = [self.given(link.to, ref, style) for ref, style in chosen]
            match link.kind:
                case "string" | "entry":
                    values[name], given[name] = refs[0], said[0]
                case "set":
                    values[name], given[name] = frozenset(refs), said
                case "list":
                    values[name], given[name] = refs, said
                case _:
                    values[name], given[name] = dict.fromkeys(refs, 1), dict.fromkeys(said, 1)
        return values, given


def _order(ref: Ref) -> tuple[bool, str]:
    return (True, "") if isinstance(ref, New) else (False, ref)


def tell(field: Any, verb: str, given: list[Any], number: int) -> Any:
    """Say *verb* on a bound field."""
    match verb:
        case "spop":
            # More than there ever are: nothing is left to chance.
            return field.spop(1_000)
        case "linsert":
            return field.linsert("before", *given)
        case "lrem":
            return field.lrem(0, *given)
        case "ltrim":
            return field.ltrim(0, 1)
        case "zadd":
            return field.zadd(dict.fromkeys(given, number))
        case "zincrby":
            return field.zincrby(number, *given)
        case "zremrangebyscore":
            return field.zremrangebyscore("-inf", number)
        case _:
            return getattr(field, verb)(*given)
