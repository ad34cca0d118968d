"""The oracle of relations: a graph in plain Python, what becomes of it, and how a server has to spell it.

It shares nothing with the library, neither its code nor its schema. References are judged on the net result: commands
are followed one by one, and only then what refers to something that is gone is cleared, deleted, too, or keeps it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from uowredis import DoesNotExist, RestrictedError, UniquenessError


@attrs.frozen
class Link:
    """What was declared of one field: its type, where it points, what a deletion there does to the object."""

    kind: str
    to: str
    on_delete: str
    check: bool = False


LINKS = {
    "Leaf": {
        "parent": Link("string", "Leaf", "cascade"),
        "owner": Link("entry", "Named", "clear", check=True),
        "friends": Link("set", "Leaf", "clear"),
        "route": Link("list", "Named", "restrict"),
        "votes": Link("zset", "Far", "cascade", check=True),
    },
    "Named": {
        "home": Link("string", "Leaf", "restrict", check=True),
        "boss": Link("entry", "Named", "cascade"),
        "groups": Link("set", "Far", "cascade"),
        "path": Link("list", "Named", "clear", check=True),
        "ranks": Link("zset", "Leaf", "clear"),
    },
    "Far": {
        "at": Link("string", "Named", "clear"),
        "top": Link("entry", "Far", "restrict"),
        "ties": Link("set", "Named", "restrict", check=True),
        "steps": Link("list", "Leaf", "cascade"),
        "marks": Link("zset", "Far", "restrict"),
    },
}
PREFIXES = {"Leaf": ":leaf", "Named": ":called", "Far": "far:far"}
#: What begins the names of fields in keys and in the hash.
STORED = {"Leaf": "", "Named": "was-", "Far": ""}
COUNTERS = (b":leaf:max_pk", b"far:far:max_pk")


@attrs.define(eq=False)
class New:
    """What stands for the pk of an object whose pk the server counts, until it is known."""

    handle: Any

    @property
    def pk(self) -> str | None:
        """The pk, None while there is none."""
        pk: str | None = self.handle._pk
        return pk


Ref = str | New
Key = tuple[str, Ref]
Object = dict[str, Any]
#: The objects by model and pk, each with the values of its fields; what holds nothing is left out.
State = dict[Key, Object]


@attrs.frozen
class Made:
    """An object was created."""

    key: Key
    values: Object

    @property
    def referred(self) -> list[Key]:
        """Whom it refers to."""
        return [to for _, _, to in references({self.key: self.values}, self.key)]


@attrs.frozen
class Ended:
    """An object was deleted."""

    key: Key

    @property
    def referred(self) -> list[Key]:
        """Whom it refers to: nobody."""
        return []


@attrs.frozen
class Wrote:
    """A command was said on a field; *number* is the score of a sorted set's members."""

    key: Key
    field: str
    verb: str
    refs: tuple[Ref, ...] = ()
    number: int = 1

    @property
    def referred(self) -> list[Key]:
        """Whom it refers to."""
        to = LINKS[self.key[0]][self.field].to
        return [(to, ref) for ref in self.refs]


Command = Made | Ended | Wrote


def _sets(_old: Any, refs: tuple[Ref, ...], _number: int) -> Any:
    return refs[0]


def _keeps(old: Any, refs: tuple[Ref, ...], _number: int) -> Any:
    return refs[0] if old is None else old


def _empties(_old: Any, _refs: tuple[Ref, ...], _number: int) -> Any:
    return None


def _without(old: Any, gone: Any) -> Any:
    """Return what a field that held *old* holds without the references *gone*."""
    if isinstance(old, dict):
        return {ref: score for ref, score in old.items() if ref not in gone}
    if isinstance(old, tuple | frozenset):
        return type(old)(ref for ref in old if ref not in gone)
    return None if old in gone else old


def _inserted(old: tuple[Ref, ...], refs: tuple[Ref, ...]) -> tuple[Ref, ...]:
    at = old.index(refs[0]) if refs[0] in old else None
    return old if at is None else (*old[:at], refs[-1], *old[at:])


#: What a command makes of a value, by type of field and name of the command.
VERBS: dict[str, dict[str, Any]] = {
    "string": {"set": _sets, "getset": _sets, "setnx": _keeps, "delete": _empties},
    "entry": {"hset": _sets, "hsetnx": _keeps, "hdel": _empties},
    "set": {
        "sadd": lambda old, refs, _: (old or frozenset()) | set(refs),
        "srem": lambda old, refs, _: (old or frozenset()) - set(refs),
        "delete": _empties,
        "spop": _empties,
    },
    "list": {
        "rpush": lambda old, refs, _: (old or ()) + refs,
        "lpush": lambda old, refs, _: refs[::-1] + (old or ()),
        "linsert": lambda old, refs, _: _inserted(old or (), refs),
        "lrem": lambda old, refs, _: _without(old or (), refs[:1]),
        "lpop": lambda old, refs, _: (old or ())[1:],
        "ltrim": lambda old, refs, _: (old or ())[:2],
        "delete": _empties,
    },
    "zset": {
        "zadd": lambda old, refs, number: (old or {}) | dict.fromkeys(refs, number),
        "zincrby": lambda old, refs, number: (old or {}) | {refs[0]: (old or {}).get(refs[0], 0) + number},
        "zrem": lambda old, refs, _: _without(old or {}, refs),
        "zremrangebyscore": lambda old, _, number: {ref: at for ref, at in (old or {}).items() if at > number},
        "delete": _empties,
    },
}


def references(state: State, key: Key) -> Iterator[tuple[Link, str, Key]]:
    """Yield each reference of an object: the field's declaration, its name, and whom it refers to."""
    for name, link in LINKS[key[0]].items():
        held = state[key].get(name)
        for ref in (held,) if isinstance(held, str | New) else held or ():
            yield link, name, (link.to, ref)


def said(state: State, commands: Sequence[Command]) -> tuple[State, set[type[Exception]]]:
    """Return *state* after *commands*, followed one by one, before what follows from deletions; and why not."""
    state = {key: dict(values) for key, values in state.items()}
    refused: set[type[Exception]] = set()
    for command in commands:
        if isinstance(command, Made):
            if command.key in state:
                refused.add(UniquenessError)
            state[command.key] = dict(command.values)
        elif command.key not in state:
            refused.add(DoesNotExist)
        elif isinstance(command, Ended):
            del state[command.key]
        else:
            held = state[command.key]
            kind = LINKS[command.key[0]][command.field].kind
            value = VERBS[kind][command.verb](held.pop(command.field, None), command.refs, command.number)
            if value:
                held[command.field] = value
    return state, refused


@attrs.frozen
class Outcome:
    """What a commit makes: the state after it, or why it may be refused; then the state stays."""

    state: State
    refused: set[type[Exception]]


def committed(before: State, commands: Sequence[Command]) -> Outcome:
    """Return what becomes of *before* when *commands* are committed together."""
    state, refused = said(before, commands)
    if refused:
        return Outcome(before, refused)
    gone = {command.key for command in commands if isinstance(command, Ended)} - state.keys()
    taken = set(gone)
    while taken:
        taken = {
            key
            for key in state.keys() - gone
            if any(link.on_delete == "cascade" and to in gone for link, _, to in references(state, key))
        }
        gone |= taken
    known = before.keys() | {command.key for command in commands}
    for key in state.keys() - gone:
        kept = {(name, to) for _, name, to in references(before, key)} if key in before else set()
        for link, name, to in references(state, key):
            if link.on_delete == "restrict" and to in gone:
                refused.add(RestrictedError)
            if link.check and to not in known and (name, to) not in kept:
                refused.add(DoesNotExist)
    if refused:
        return Outcome(before, refused)
    return Outcome({key: _cleared(key, values, gone) for key, values in state.items() if key not in gone}, refused)


def _cleared(key: Key, values: Object, gone: set[Key]) -> Object:
    left = {}
    for name, value in values.items():
        link = LINKS[key[0]].get(name)
        rest = value if link is None else _without(value, {ref for model, ref in gone if model == link.to})
        if rest:
            left[name] = rest
    return left


def settled(state: Any) -> Any:
    """Return *state*, or any part of it, with the pks of new objects that are known by now."""
    if isinstance(state, dict):
        return {settled(key): settled(value) for key, value in state.items()}
    if isinstance(state, tuple | frozenset | list):
        return type(state)(map(settled, state))
    return state.pk or state if isinstance(state, New) else state


def spelled(state: State) -> dict[bytes, Any]:
    """Return all keys of a server that holds *state*, but the counters of pks, as redis-py reads them."""
    data: dict[str, Any] = defaultdict(set)
    for (model, pk), values in state.items():
        prefix = PREFIXES[model]
        data[f"{prefix}:collection"].add(pk)
        for field, value in values.items():
            link, name = LINKS[model].get(field), f"{STORED[model]}{field}"
            if link is None or link.kind == "entry":
                data.setdefault(f"{prefix}:{pk}:hash", {})[name] = value
                value = (value,)
            else:
                data[f"{prefix}:{pk}:{name}"] = value
                value = (value,) if isinstance(value, str) else value
            for each in value:
                data[f"{prefix}:{name}:{each}"].add(pk)
    return {key.encode(): _as_read(value) for key, value in data.items()}


def _as_read(value: Any) -> Any:
    match value:
        case str():
            return value.encode()
        case tuple():
            return [each.encode() for each in value]
        case set() | frozenset():
            return {each.encode() for each in value}
        case _ if all(isinstance(score, str) for score in value.values()):
            return {name.encode(): each.encode() for name, each in value.items()}
        case _:
            return sorted(((ref.encode(), float(score)) for ref, score in value.items()), key=lambda p: (p[1], p[0]))
