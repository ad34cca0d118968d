"""What random walks over indexes of every kind say and ask, and the oracle: plain redis-py, none of our code."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import redis
from hypothesis import strategies as st

from tests.whole.walks.oracle import read
from uowredis import (
    HashField,
    InstanceHashField,
    ListField,
    RedisDatabase,
    SetField,
    StringField,
)
from uowredis.contrib.indexes import DateTimeIndex, EqualIndexWith, ScoredEqualIndex
from uowredis.contrib.related import FKInstanceHashField, M2MSetField, RelatedModel
from uowredis.indexes import EqualIndex, NumberRangeIndex, TextRangeIndex

WORDS = st.sampled_from(["a", "a", "a:b", "b", "b:a", "A", ""])
DAYS = st.sampled_from(["2015-12-16 10:00:00", "2015-12-16 09:59:59", "2016-01-01 00:00:07"])
NUMBERS = st.sampled_from(["1", "2.5", "-3", "1e3"])
REFERENCES = st.sampled_from(["1", "2"])
PLACES = st.integers(0, 3)


def declare(on: RedisDatabase) -> Any:
    """Declare groups, and items with indexes of every kind, of one field and of several."""

    class Group(RelatedModel):
        database = on
        name = InstanceHashField()

    class Item(RelatedModel):
        database = on
        text = InstanceHashField(
            indexable=True,
            indexes=[EqualIndex, TextRangeIndex, EqualIndexWith.configure(other_fields=["size", "tags"])],
        )
        size = StringField()
        tags = SetField(indexable=True, none=True)
        first = InstanceHashField(
            indexable=True, indexes=[EqualIndexWith.configure(other_fields=["last"], unique=True)]
        )
        last = InstanceHashField()
        rows = ListField(
            indexable=True,
            indexes=[
                NumberRangeIndex,
                EqualIndexWith.configure(other_fields=["parts"], prefix="low", transform=str.lower),
            ],
        )
        parts = HashField(indexable=True, indexes=[TextRangeIndex])
        owned = StringField(indexable=True, indexes=[EqualIndexWith.configure(other_fields=["group"], key="own")])
        group = FKInstanceHashField(Group)
        note = StringField(indexable=True, indexes=[EqualIndexWith.configure(other_fields=["seen"])])
        seen = M2MSetField(Group, related_name="seen_by")
        ranked = ScoredEqualIndex.configure(score_field="rank", prefix="by")
        marks = SetField(indexable=True, indexes=[EqualIndex, ranked])
        rank = InstanceHashField()
        code = StringField(unique=True, indexes=[ScoredEqualIndex.configure(score_field="price", prefix="by")])
        price = StringField(indexable=True, indexes=[NumberRangeIndex], none=True)
        at = InstanceHashField(indexable=True, indexes=[DateTimeIndex])

    return Group, Item


@attrs.frozen(repr=False)
class Say:
    """One thing said of the item at *place*: *method* of *field*; of no field: it is created or deleted."""

    place: int
    field: str
    method: str
    args: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return f"item {self.place}.{self.field}.{self.method}{self.args}"


def _say(field: str, method: str, *args: st.SearchStrategy[Any]) -> st.SearchStrategy[Say]:
    return st.builds(Say, PLACES, st.just(field), st.just(method), st.tuples(*args))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": WORDS,
    "size": WORDS,
    "tags": st.lists(WORDS, min_size=1, max_size=2),
    "first": WORDS,
    "last": WORDS,
    "rows": st.lists(WORDS, min_size=1, max_size=2),
    "parts": st.dictionaries(st.just("e"), WORDS, min_size=1),
    "owned": WORDS,
    "group": REFERENCES,
    "note": WORDS,
    "seen": st.sets(REFERENCES, min_size=1).map(sorted),
    "marks": st.lists(WORDS, min_size=1, max_size=2),
    "rank": NUMBERS,
    "code": WORDS,
    "price": NUMBERS,
    "at": DAYS,
}
#: What a new item holds: mostly all fields of an index.
FIRST = st.one_of(
    *(
        st.fixed_dictionaries({name: VALUES[name] for name in names})
        for names in (("text", "size", "tags", "note", "seen"), ("first", "last", "rows", "parts"))
    ),
    st.fixed_dictionaries({name: VALUES[name] for name in ("owned", "group", "marks", "rank", "code", "price", "at")}),
    st.fixed_dictionaries({}, optional=VALUES),
)

SAID = st.one_of(
    st.builds(Say, PLACES, st.just(""), st.just("create"), st.tuples(FIRST)),
    st.builds(Say, PLACES, st.just(""), st.just("delete")),
    st.builds(Say, PLACES, st.just("group"), st.just("end"), st.tuples(REFERENCES)),
    _say("text", "hset", WORDS),
    _say("text", "hdel"),
    _say("size", "set", WORDS),
    _say("size", "append", WORDS),
    _say("size", "delete"),
    _say("tags", "sadd", WORDS, WORDS),
    _say("tags", "srem", WORDS),
    _say("tags", "spop"),
    _say("first", "hset", WORDS),
    _say("last", "hset", WORDS),
    _say("last", "hsetnx", WORDS),
    _say("last", "hdel"),
    _say("rows", "rpush", WORDS, WORDS),
    _say("rows", "lpop"),
    _say("rows", "lrem", st.just(1), WORDS),
    _say("parts", "hset", st.sampled_from(["e", "f"]), WORDS),
    _say("parts", "hdel", st.sampled_from(["e", "f"])),
    _say("parts", "delete"),
    _say("owned", "set", WORDS),
    _say("group", "hset", REFERENCES),
    _say("group", "hdel"),
    _say("note", "set", WORDS),
    _say("note", "delete"),
    _say("seen", "sadd", REFERENCES),
    _say("seen", "srem", REFERENCES),
    _say("marks", "sadd", WORDS),
    _say("marks", "srem", WORDS, WORDS),
    _say("rank", "hset", NUMBERS),
    _say("rank", "hincrbyfloat", st.just(1)),
    _say("rank", "hdel"),
    _say("code", "set", WORDS),
    _say("code", "delete"),
    _say("price", "set", NUMBERS),
    _say("price", "incrbyfloat", st.just(1.5)),
    _say("price", "delete"),
    _say("at", "hset", DAYS),
    _say("at", "hdel"),
    _say("tags", "delete"),
)

#: The fields of each question, and what it asks by a value of each.
ASKED: dict[str, tuple[tuple[str, ...], Callable[..., dict[str, Any]]]] = {
    "text": (("text", "size", "tags"), lambda a, b, c: {"text": a, "size": b, "tags__eq": c}),
    "several": (("text", "size", "tags"), lambda a, b, c: {"text__in": [a, b], "size__in": [b, c], "tags": c}),
    "first": (("first", "last"), lambda a, b: {"first": a, "last": b}),
    "rows": (("rows", "parts"), lambda a, b: {"rows__low": a.lower(), "parts__e": b}),
    "owned": (("owned", "group"), lambda a, _: {"owned": a, "group__in": ["1", "2"]}),
    "note": (("note", "seen"), lambda a, b: {"note": a, "seen": b}),
    "marks": (("marks", "rank"), lambda a, _: {"marks__by": a}),
    "code": (("code", "price"), lambda a, _: {"code__by__in": [a, "a"]}),
    "texts": (("text",), lambda a: {"text__gte": a}),
    "numbers": (("price",), lambda a: {"price__lt": 2, "text__lt": "b"}),
    "days": (("at",), lambda _: {"at__date__lt": "2015-12-17", "at__second": 59}),
    "entries": (("parts",), lambda a: {"parts__e__startswith": a[:1]}),
    "nothing": (("price",), lambda _: {"tags": None, "price__isnull": True}),
}

#: Which question, by the values of which object; or other ones.
QUESTIONS = st.tuples(st.sampled_from(sorted(ASKED)), PLACES, st.lists(WORDS, min_size=3, max_size=3))


def filters(name: str, item: Any, words: list[str]) -> dict[str, Any]:
    """Return the filters of a question, by what *item* holds, and else *words*."""
    fields, asks = ASKED[name]
    values = []
    for field, word in zip(fields, words, strict=False):
        held: Any = None if item is None else getattr(item, field)
        if held is None:
            found = None
        elif field in ("tags", "marks", "seen"):
            found = min(held.smembers(), default=None)
        elif field == "rows":
            found = held.lindex(0)
        else:
            found = held.hget("e") if field == "parts" else held.get()
        values.append(word if found is None else str(found))
    return asks(*values)


# The oracle.


def held(data: dict[bytes, Any], pk: str) -> dict[str, list[tuple[str, ...]]]:
    """Return what an item holds by field, each value as the parts that it is in keys."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for name, value in data.get(f":item:{pk}:hash".encode(), {}).items():
        found[name.decode()] = [(value.decode(),)]
    for name in ("size", "owned", "code", "price", "note"):
        if (text := data.get(f":item:{pk}:{name}".encode())) is not None:
            found[name] = [(text.decode(),)]
    for name in ("tags", "rows", "marks", "seen"):
        if (values := data.get(f":item:{pk}:{name}".encode())) is not None:
            found[name] = [(value.decode(),) for value in values]
    if (entries := data.get(f":item:{pk}:parts".encode())) is not None:
        found["parts"] = [(entry.decode(), value.decode()) for entry, value in entries.items()]
    return found


def _together(held: dict[str, Any], place: str, word: str, *fields: str) -> Iterator[str]:
    """Yield the keys of the combinations of what is held in *fields*."""
    for combination in itertools.product(*(held.get(field, ()) for field in fields)):
        parts = [part for each in combination for part in each]
        if any(":" in part for part in parts[:-1]):
            parts = [*(part.replace("%", "%25").replace(":", "%3A") for part in parts[:-1]), parts[-1]]
            yield f":item:{place}:{word}-quoted:{':'.join(parts)}"
        else:
            yield f":item:{place}:{word}:{':'.join(parts)}"


def entitled(data: dict[bytes, Any]) -> dict[bytes, Any]:
    """Return the index keys that the items in *data* entitle to, and what they hold."""
    sets: dict[str, set[str]] = {}
    scored: dict[str, dict[str, float]] = {}
    for pk in sorted(text.decode() for text in data.get(b":item:collection", ())):
        mine = held(data, pk)
        low = mine | {"rows": [(value.lower(),) for (value,) in mine.get("rows", ())]}
        keys = [
            *(
                f":item:{field}:{value}"
                for field in ("text", "tags", "group", "marks", "seen")
                for (value,) in mine.get(field, ())
            ),
            *_together(mine, "text", "equal-with", "text", "size", "tags"),
            *_together(mine, "first", "equal-with", "first", "last"),
            *_together(low, "rows:low", "equal-with", "rows", "parts"),
            *_together(mine, "owned", "own", "owned", "group"),
            *_together(mine, "note", "equal-with", "note", "seen"),
            *(f":item:code:by:equal-scored:{value}:__uniqueness__" for (value,) in mine.get("code", ())),
        ]
        for key in keys:
            sets.setdefault(key, set()).add(pk)
        for field in (field for field in ("tags", "price") if not mine.get(field)):
            sets.setdefault(f":item:__none__:{field}", set()).add(pk)
        for key, member, score in _ranges(mine, pk):
            scored.setdefault(key, {})[member] = score
        for place, field, by in (("marks:by", "marks", "rank"), ("code:by", "code", "price")):
            for (number,) in mine.get(by, ()):
                for (value,) in mine.get(field, ()):
                    scored.setdefault(f":item:{place}:equal-scored:{value}", {})[pk] = float(number)
    found: dict[bytes, Any] = {key.encode(): {pk.encode() for pk in pks} for key, pks in sets.items()}
    ordered = {
        key.encode(): sorted(((pk.encode(), score) for pk, score in each.items()), key=lambda pair: (pair[1], pair[0]))
        for key, each in scored.items()
    }
    return found | ordered


def _ranges(mine: dict[str, Any], pk: str) -> Iterator[tuple[str, str, float]]:
    """Yield what the sorted sets of ranges hold of an item: key, member, score."""
    for (text,) in mine.get("text", ()):
        yield ":item:text:text-range", f"{text}:TEXT-RANGE-SEPARATOR:{pk}", 0
    for entry, text in mine.get("parts", ()):
        yield f":item:parts:{entry}:text-range", f"{text}:TEXT-RANGE-SEPARATOR:{pk}", 0
    for (number,) in mine.get("price", ()):
        yield ":item:price:number-range", pk, float(number)
    for (text,) in mine.get("rows", ()):
        yield ":item:rows:number-range", f"{text}:NUMBER-RANGE-SEPARATOR:{pk}", 0
    for (at,) in mine.get("at", ()):
        for key, text in (("full", at), ("date:date", at[:10]), ("time:time", at[11:])):
            yield f":item:at:{key}", f"{text}:TEXT-RANGE-SEPARATOR:{pk}", 0
        parts = ("year", "month", "day", "hour", "minute", "second")
        for part, number in zip(parts, at.replace(" ", "-").replace(":", "-").split("-"), strict=True):
            yield f":item:at:{part}:number-range", pk, int(number)


def indexed(data: dict[bytes, Any]) -> dict[bytes, Any]:
    """Return the index keys that there are."""
    pks = [pk.decode() for pk in data.get(b":item:collection", ())]
    own = (b":item:collection", b":item:max_pk", b":group:", *(f":item:{pk}:".encode() for pk in pks))
    return {key: value for key, value in data.items() if not key.startswith(own)}


def check(client: redis.Redis) -> dict[bytes, Any]:
    """Assert that the indexes say what the items hold, and that what is unique is so; return the data."""
    data = read(client)
    assert entitled(data) == indexed(data)
    for key, pks in indexed(data).items():
        if key.startswith(b":item:first:") or key.endswith(b":__uniqueness__"):
            assert len(pks) == 1, key
    return data


def answer(data: dict[bytes, Any], name: str, filters: dict[str, Any]) -> list[str] | set[str]:
    """Return whom a question of ``ASKED`` finds: a list where there is an order."""
    found = []
    for pk in (text.decode() for text in data.get(b":item:collection", ())):
        mine = held(data, pk)
        # What scores it is held, too.
        needed = ASKED[name][0] if name in ("marks", "code") else ()
        if all(_fulfils(mine, *each) for each in filters.items()) and all(mine.get(field) for field in needed):
            found.append((pk, mine))
    if name not in ("marks", "code"):
        return {pk for pk, _ in found}
    by = ASKED[name][0][1]
    return [pk for pk, _ in sorted(found, key=lambda each: (float(each[1][by][0][0]), int(each[0])))]


def _fulfils(mine: dict[str, Any], asked: str, value: Any) -> bool:
    field, *rest = asked.split("__")
    pairs = mine.get(field, ())
    texts = [pair[-1] for pair in pairs if field != "parts" or pair[0] == rest[0]]
    match asked:
        case "text__gte":
            return any(text.encode() >= value.encode() for text in texts)
        case "text__lt":
            return any(text.encode() < value.encode() for text in texts)
        case "price__lt":
            return any(float(text) < value for text in texts)
        case "at__date__lt":
            return any(text[:10] < value for text in texts)
        case "at__second":
            return any(int(text[17:]) == value for text in texts)
        case "parts__e__startswith":
            return any(text.startswith(value) for text in texts)
        case "tags" | "price__isnull" if value is None or value is True:
            return not texts
    wanted = value if isinstance(value, list) else [value]
    return any(each in [text.lower() if "low" in rest else text for text in texts] for each in wanted)
