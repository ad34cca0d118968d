"""What a collection asks of what will be there: how many, which of those it was given, in which rows; for eyes, too."""

from collections.abc import Callable

from tests.overlay.stage import hget, listing, query, reading, seen
from tests.planner.referring import GROUP, PERSON
from tests.planner.stage import BIKE, create, delete, hset, new, stored
from uowredis.commands.arguments import Placeholder
from uowredis.commands.commands import Create
from uowredis.commands.query import Column, Order, Query
from uowredis.commands.where import Everything, Given, Members
from uowredis.overlay.overlay import Overlay
from uowredis.overlay.search import Search
from uowredis.plan.requests import Deciding

ONE = stored(BIKE, "1")
BLUE = ("SMEMBERS", ":bike:color:blue")
#: What is asked of Bike 1 when it was painted.
PAINTED = hset(ONE, "color", "blue")
WAS_RED = {("HGET", ":bike:1:hash", "color"): "red", ("SISMEMBER", ":bike:color:blue", "1"): 0}


def made() -> list[Create]:
    """Create two that will be blue, and one that will not."""
    return [create(new(BIKE, number), color=color) for number, color in ((1, "blue"), (2, "red"), (3, "blue"))]


def counting(wanted: Query) -> Callable[[Overlay], Deciding[int]]:
    return lambda overlay: Search(overlay, wanted).count()


def rows(wanted: Query) -> Callable[[Overlay], Deciding[list[tuple[str | None, ...]]]]:
    def found(overlay: Overlay) -> Deciding[list[tuple[str | None, ...]]]:
        return list(zip(*(yield from Search(overlay, wanted).table()), strict=True))

    return found


def test_what_is_pending_is_counted() -> None:
    """What the server finds but for what leaves, and what comes; no primary key is given for it."""
    blue = query(BIKE, color="blue")
    assert 4 == seen([PAINTED, *made()], counting(blue), {BLUE: ["7"], **WAS_RED})
    assert 1 == seen([delete(ONE)], counting(blue), {BLUE: ["1", "7"]})
    assert 9 == seen([], counting(blue), {("SCARD", ":bike:color:blue"): 9})
    assert 2 == seen(made(), counting(blue), {BLUE: []}, dry_run=True)


def test_of_given_primary_keys_new_objects_are_found_by_theirs() -> None:
    """They get them to be told from others, and only those that were given are found."""
    chosen = query(BIKE, Given(frozenset(("2", "8"))), color="blue")
    there = {("SMISMEMBER", ":bike:color:blue", "2", "8"): [1, 0]}
    assert ["2", "8"] == seen(made(), listing(chosen), there)
    assert ["2"] == seen(made(), listing(chosen), there, counted_to=10)


def test_new_objects_must_stand_in_the_sets_that_are_intersected() -> None:
    """The server is asked for them by their primary keys, which they get for that."""
    both = query(BIKE, Members(":user:1:liked"), Members(":user:1:seen", scored=True), color="blue")
    there = {("ZINTER", "3", ":bike:color:blue", ":user:1:liked", ":user:1:seen"): ["2"]}
    asked = {
        ("SISMEMBER", ":user:1:liked", "7"): 1,
        ("ZSCORE", ":user:1:seen", "7"): None,
        ("SISMEMBER", ":user:1:liked", "8"): 1,
        ("ZSCORE", ":user:1:seen", "8"): "5",
    }
    assert ["2", "8"] == seen(made(), listing(both), there | asked)


def test_in_a_dry_run_what_stands_for_new_objects_is_listed() -> None:
    """Nothing is counted up: what was said is named by its number in the session."""
    assert ["7", "<Bike 1>", "<Bike 3>"] == seen(
        made(), listing(query(BIKE, color="blue")), {BLUE: ["7"]}, dry_run=True
    )


def test_in_a_dry_run_a_reference_to_a_new_object_is_read_as_it_was_said() -> None:
    """Fields take it for the object, and not for its text."""
    person = new(PERSON, 1)
    crew = stored(GROUP, "7")
    said = [create(person, name="ann"), hset(crew, "owner", person.reference)]
    (found,) = seen(said, reading(hget(crew, "owner")), dry_run=True)
    assert ("<Person 1>", Placeholder) == (found, type(found))
    assert None is person.pk


def test_rows_hold_no_reference_to_what_is_deleted() -> None:
    """Neither among the values nor to order by: what has none comes first."""
    owner, founder = Column.of(GROUP, "owner"), Column.of(GROUP, "founder")
    wanted = Query(
        GROUP, Everything(":group:collection"), Order(owner), columns=(Column.of(GROUP, "pk"), owner, founder)
    )
    patterns = ("GET", "#", "GET", ":group:*:hash->owner", "GET", ":group:*:founder")
    call = ("SORT", ":group:collection", "BY", "nosort", *patterns)
    there = {call: ["8", "2", "3", "9", "3", "3"]}
    assert [("8", "2", "3"), ("9", "3", "3")] == seen([delete(stored(PERSON, "1"))], rows(wanted), there)
    assert [("9", None, None), ("8", "2", None)] == seen([delete(stored(PERSON, "3"))], rows(wanted), there)
