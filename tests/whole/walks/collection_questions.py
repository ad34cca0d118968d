"""Random data, random writes and random queries for comparing a session with what is there after its commit."""

from collections.abc import Callable
from typing import Any

import attrs
from hypothesis import strategies as st

from tests.models import every_kind, people
from uowredis import RedisDatabase, aio
from uowredis.contrib.collection import SORTED_SCORE

#: A raw key that no session changes.
RAW = "raw:key"
#: Primary keys that may be chosen or counted.
CHOSEN = ("10", "9", "a", "b", "é", "c")
COUNTED = tuple(str(number) for number in range(1, 9))


@attrs.frozen
class Models:
    """What is asked about, ``item``, with counted or chosen pks, and an object that holds lists of its pks."""

    database: RedisDatabase | aio.RedisDatabase
    item: type[Any]
    box: type[Any]
    chosen: bool

    @property
    def pks(self) -> tuple[str, ...]:
        return CHOSEN if self.chosen else COUNTED


def declare(on: RedisDatabase | aio.RedisDatabase, chosen: bool) -> Models:
    """Declare the models on a database."""
    items = every_kind(on, renamed=True)
    return Models(on, items.Named if chosen else items.Thing, people(on).user, chosen)


WORDS = st.sampled_from(["a", "b", "c"])
TEXTS = st.sampled_from(["1", "2", "10", "-1", "0.5", "", "x", "é"])
NUMBERS = st.sampled_from(["1", "2", "10", "-3"])
ENTRIES = st.sampled_from(["e", "f"])
PLACES = st.integers(0, 7)
SCORES = st.sampled_from([0, 1, 2.5, 0.1, -1, 1e20, float("inf")])

VALUES = st.fixed_dictionaries(
    {},
    optional={
        "title": WORDS,
        "count": NUMBERS,
        "name": TEXTS,
        "note": NUMBERS,
        "tags": st.sets(WORDS, min_size=1).map(sorted),
        "rows": st.lists(WORDS, min_size=1, max_size=3),
        "headers": st.dictionaries(ENTRIES, WORDS, min_size=1),
    },
)
BOX = st.fixed_dictionaries(
    {
        "city": WORDS,
        "friends": st.lists(PLACES, min_size=1, max_size=4),
        "history": st.lists(PLACES, min_size=1, max_size=4),
        "met": st.dictionaries(PLACES, SCORES, min_size=1, max_size=4),
    }
)


@attrs.frozen(repr=False)
class Write:
    """One thing said: a creation, a deletion, or *method* of *field*, of the item at *place* or of the box."""

    place: int | None
    field: str | None
    method: str
    args: tuple[Any, ...] = ()

    @property
    def opaque(self) -> bool:
        """Whether only the server can know its result."""
        return self.method in ("spop", "incrbyfloat")

    def __repr__(self) -> str:
        who = "box" if self.place is None else f"item {self.place}"
        return f"{who}.{self.field}.{self.method}{self.args}"


def write(field: str, method: str, *args: st.SearchStrategy[Any]) -> st.SearchStrategy[Write]:
    """Draw *method* on *field* of an item."""
    return st.builds(Write, PLACES, st.just(field), st.just(method), st.tuples(*args))


def on_box(field: str, method: str, *args: st.SearchStrategy[Any]) -> st.SearchStrategy[Write]:
    """Draw *method* on *field* of the box."""
    return st.builds(Write, st.none(), st.just(field), st.just(method), st.tuples(*args))


WRITES = st.one_of(
    st.builds(Write, PLACES, st.none(), st.just("create"), st.tuples(VALUES)),
    st.builds(Write, PLACES, st.none(), st.just("create"), st.tuples(VALUES)),
    st.builds(Write, PLACES, st.none(), st.just("delete")),
    write("title", "set", WORDS),
    write("title", "append", WORDS),
    write("title", "delete"),
    write("count", "set", NUMBERS),
    write("count", "incr"),
    write("name", "hset", TEXTS),
    write("name", "hdel"),
    write("note", "hincrby", st.integers(-2, 2)),
    write("note", "hset", NUMBERS),
    write("tags", "sadd", WORDS),
    write("tags", "srem", WORDS),
    write("tags", "spop"),
    write("rows", "rpush", WORDS),
    write("rows", "lrem", st.just(1), WORDS),
    write("rows", "lpop"),
    write("headers", "hset", ENTRIES, WORDS),
    write("headers", "hdel", ENTRIES),
    on_box("city", "hset", WORDS),
    on_box("friends", "sadd", PLACES),
    on_box("friends", "srem", PLACES),
    on_box("history", "rpush", PLACES),
    on_box("history", "lpop"),
    on_box("met", "zadd", st.dictionaries(PLACES, SCORES, min_size=1, max_size=2)),
    on_box("met", "zrem", PLACES),
)


@attrs.frozen
class Question:
    """A query and how it is looked at.

    Attributes:
        filters: names and values; the value "<wanted>" is the box's field.
        intersect: what to intersect with: places of items, a field of the box, or the raw key.
        sort: arguments of ``sort``, None for no sort; ``by_score`` is the box's.
        shape: what is given for each.
        look: "list", "slice", "len" or "in".
        wanted: the slice.
    """

    filters: tuple[tuple[str, str], ...]
    intersect: tuple[Any, ...]
    sort: dict[str, Any] | None
    shape: str
    look: str
    wanted: slice

    def collection(self, models: Models) -> Any:
        """Return the collection that it asks for."""
        box = models.box("box")
        found = models.item.collection()
        for name, value in self.filters:
            found.filter(**{name: box.city if value == "<wanted>" else value})
        for given in self.intersect:
            found.intersect(getattr(box, given) if given in FIELDS else given if given == RAW else pks(models, given))
        if self.sort is not None:
            scored = {"by_score": box.met} if "by_score" in self.sort else {}
            found.sort(**self.sort | scored)
        return SHAPES[self.shape](found)

    @property
    def scored(self) -> bool:
        """Whether scores order."""
        return self.sort is not None and "by_score" in self.sort


FIELDS = ("friends", "history", "met")
SHAPES: dict[str, Callable[[Any], Any]] = {
    "pks": lambda found: found,
    "instances": lambda found: found.instances(),
    "values": lambda found: found.values("pk", "name", "title"),
    "tuples": lambda found: found.values_list("pk", "note", "count"),
    "all": lambda found: found.values(),
    "many": lambda found: found.values_list("pk", "tags", "name", "rows", "ranks", "headers", "title"),
    "loaded": lambda found: found.instances(load=("name", "tags", "count", "headers", "note")),
    "scores": lambda found: found.values_list("pk", SORTED_SCORE),
    "many scores": lambda found: found.values("tags", SORTED_SCORE, "pk"),
}

BOUNDS = st.one_of(st.none(), st.integers(-4, 4))
SORTS = st.one_of(
    st.none(),
    st.builds(
        lambda by, alpha, desc: {"by": by, "alpha": alpha, "desc": desc},
        st.sampled_from([None, "name", "note", "count", "title"]),
        st.booleans(),
        st.booleans(),
    ),
    st.booleans().map(lambda desc: {"by_score": True, "desc": desc}),
)
FILTERS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["title", "tags", "rows", "headers__e", "headers__f"]), WORDS),
        st.tuples(st.just("name"), TEXTS),
        st.tuples(st.sampled_from(["title", "tags"]), st.just("<wanted>")),
        st.tuples(st.just("title"), st.sampled_from(["ab", "ba"])),
    ),
    max_size=3,
).map(tuple)
INTERSECTIONS = st.lists(
    st.one_of(st.frozensets(PLACES, max_size=6), st.sampled_from(FIELDS), st.just(RAW)), max_size=2
).map(tuple)


@st.composite
def questions(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Question:
    """Draw a question."""
    sort = draw(SORTS)
    shapes = [shape for shape in SHAPES if "scores" not in shape or (sort is not None and "by_score" in sort)]
    wanted = slice(draw(BOUNDS), draw(BOUNDS), draw(st.sampled_from([None, None, 1, 2, -1])))
    looks = st.sampled_from(["list", "list", "slice", "slice", "len", "in"])
    return Question(draw(FILTERS), draw(INTERSECTIONS), sort, draw(st.sampled_from(shapes)), draw(looks), wanted)


def pks(models: Models, places: Any) -> list[str]:
    """Return the primary keys at *places*."""
    return [models.pks[place % len(models.pks)] for place in places]
