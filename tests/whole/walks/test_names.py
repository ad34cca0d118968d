"""Names that meet: of whatever models, objects and values the library takes, no two things share a Redis key.

The keys are spelled here a second time, from the table in ``docs/how-it-works.md``.
"""

from collections.abc import Iterator
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from uowredis import (
    ArgumentError,
    HashField,
    ImplementationError,
    InstanceHashField,
    PKField,
    RedisDatabase,
    RedisModel,
    SetField,
    StringField,
    UniquenessError,
)

WORDS = st.sampled_from(["a", "b", "1", "collection"])
#: What may hold colons: primary keys, entries, values. Few words, so that they meet.
TEXTS = st.lists(WORDS, max_size=3).map(":".join)
#: What fields and models are stored as, where that is not their name.
STORED = st.none() | st.sampled_from(
    ["a", "b", "1", "collection", "pk", "hash", "c", "B", "1b", "a:b", "-", "__guard__", "__fingerprint__", ""]
)
#: Some begin as the keys of a model in another one do.
NAMESPACES = st.sampled_from(["", ":a", ":a:b", ":a:collection"])
KINDS = {"string": StringField, "entry": InstanceHashField, "hash": HashField, "set": SetField}


@attrs.frozen
class Declared:
    """A model to be declared, and the objects to be made of it: by primary key, a value for each field."""

    namespace: str
    name: str
    stored_as: str | None
    chosen: bool
    fields: dict[str, tuple[str, bool, str | None]]
    objects: list[tuple[str, dict[str, Any]]]


@st.composite
def declared(draw: st.DrawFn) -> Declared:
    fields = draw(
        st.dictionaries(
            st.sampled_from(["a", "b"]), st.tuples(st.sampled_from(list(KINDS)), st.booleans(), STORED), min_size=1
        )
    )
    objects = []
    for _ in range(draw(st.integers(1, 3))):
        values = {
            name: draw(st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=2))
            if kind == "hash"
            else draw(st.sets(TEXTS, min_size=1, max_size=2))
            if kind == "set"
            else draw(TEXTS)
            for name, (kind, *_) in fields.items()
        }
        objects.append((draw(TEXTS), values))
    name, stored_as = draw(st.sampled_from(["A", "B"])), draw(STORED)
    return Declared(draw(NAMESPACES), name, stored_as, draw(st.booleans()), fields, objects)


def declare(database: RedisDatabase, what: Declared, place: str) -> Any:
    attributes: dict[str, Any] = {"database": database, "namespace": what.namespace, "__qualname__": place}
    if what.stored_as is not None:
        attributes["stored_as"] = what.stored_as
    if what.chosen:
        attributes["key"] = PKField()
    for name, (kind, indexed, stored_as) in what.fields.items():
        attributes[name] = KINDS[kind](indexable=indexed, stored_as=stored_as)
    return type(what.name, (RedisModel,), attributes)


def things(what: Declared, made: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield each key that stands for something, with what that is."""
    me = (what.namespace, what.name.lower())
    prefix = f"{what.namespace}:{what.name.lower() if what.stored_as is None else what.stored_as}"
    if made:
        yield f"{prefix}:collection", (*me, "all primary keys")
        yield f"{prefix}:__fingerprint__", (*me, "its fingerprint")
        if not what.chosen:
            yield f"{prefix}:max_pk", (*me, "their counter")
    for pk, values in made:
        for name, value in values.items():
            kind, indexed, stored_as = what.fields[name]
            stored = name if stored_as is None else stored_as
            yield f"{prefix}:{pk}:{'hash' if kind == 'entry' else stored}", (*me, pk, "" if kind == "entry" else name)
            if not indexed:
                continue
            if kind == "hash":
                for entry, text in value.items():
                    yield f"{prefix}:{stored}:{entry}:{text}", (*me, "index", name, entry, text)
            else:
                for text in value if kind == "set" else [value]:
                    yield f"{prefix}:{stored}:{text}", (*me, "index", name, text)


@settings(max_examples=5 * settings.default.max_examples)
@given(st.lists(declared(), min_size=2, max_size=3))
def test_no_two_things_share_a_key(models: list[Declared]) -> None:
    """What might is refused when it is declared, or said."""
    spelled: dict[str, tuple[Any, ...]] = {}
    with RedisDatabase.embedded() as database:
        for number, what in enumerate(models):
            try:
                model = declare(database, what, f"{what.name}{number}")
            except ImplementationError:
                continue
            made = []
            for pk, values in what.objects:
                try:
                    one = model(key=pk, **values) if what.chosen else model(**values)
                except (ArgumentError, UniquenessError):
                    continue
                made.append((one.pk.get(), values))
            for key, thing in things(what, made):
                assert thing == spelled.setdefault(key, thing)
            for pk, values in made:
                entries = {name: value for name, value in values.items() if what.fields[name][0] == "entry"}
                assert entries == model(pk).hgetall()
        assert spelled.keys() == {key for key in database.connection.keys("*") if ":__commit__:" not in key}
