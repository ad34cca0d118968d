"""Plans on paper: a line a call, for eyes; bare quoted lines for redis-cli; values hidden where that is asked."""

import pytest

from tests.planner.stage import BIKE, SHOP, create, delete, hset, new, planned, put, sadd, steps, stored, write
from uowredis.commands.changes import Added, Computed, Opaque, Removed, Replaced
from uowredis.commands.commands import Create
from uowredis.commands.identity import Identity, State
from uowredis.plan import Plan
from uowredis.plan.printing import quote
from uowredis.planner import Limits

THERE = {("SISMEMBER", ":bike:collection", "1"): 1}


def everywhere(limits: Limits | None = None) -> Plan:
    """Return a plan with a secret in every place that a value has."""
    bike, fresh = stored(BIKE, "1"), new(BIKE, 1)
    said = [
        create(fresh, sadd(fresh, "tags", "secret01"), name="secret02", color="secret03", note="secret04"),
        hset(bike, "name", "secret05"),
        hset(bike, "note", "secret06"),
        put(bike, "price", "secret07"),
        put(bike, "wheels", "secret08"),
        write(bike, "tags", Opaque(), "SPOP"),
        sadd(bike, "tags", "secret09"),
        write(bike, "stages", Computed(), "LINSERT", "BEFORE", "secret10", "secret11"),
        write(bike, "parts", Replaced((("secret12", "secret13"),)), "HSET", "secret12", "secret13"),
        write(bike, "races", Added(("secret14",)), "ZADD", "1", "secret14"),
        write(bike, "races", Removed(("secret15",)), "ZREM", "secret15"),
    ]
    answers = THERE | {
        ("SMEMBERS", ":bike:name:secret02"): [],
        ("SMEMBERS", ":bike:name:secret05"): ["1"],
        ("HGET", ":bike:1:hash", "name"): "secret16",
        ("GET", ":bike:1:price"): "secret17",
        ("SMEMBERS", ":bike:1:tags"): ["secret18"],
        ("LRANGE", ":bike:1:stages", "0", "-1"): ["secret10", "secret19"],
        ("HGET", ":bike:1:parts", "secret12"): "secret20",
    }
    return planned(said, answers, limits=limits, first_pk=7)


@pytest.mark.parametrize("limits", [Limits(), Limits(watched=0)], ids=["watched", "scripted"])
def test_hidden_values_are_nowhere(limits: Limits) -> None:
    """hide_values shows no value, argument or reply, neither in calls nor in index keys; all lines are still there."""
    plan = everywhere(limits)
    assert "secret01" in str(plan)
    hidden = plan.text(hide_values=True)
    assert "secret" not in hidden
    assert len(str(plan).splitlines()) == len(hidden.splitlines())
    assert str(plan).splitlines()[0] == hidden.splitlines()[0]


def test_hidden_values_leave_commands_and_keys_of_objects() -> None:
    """Where values are hidden one still sees which commands go to which objects and indexes."""
    plan = planned([hset(stored(BIKE, "1"), "color", "blue")], THERE | {("HGET", ":bike:1:hash", "color"): "red"})
    assert [
        "plan: Bike <1> changed; 2 round trips; atomic, idempotent",
        "  guard: nothing of this changes  WATCH (2 keys)",
        "  before: Bike.color              HGET :bike:1:hash ?          -> ?",
        "  guard: Bike is there            SISMEMBER :bike:collection ? -> ?",
        "                                  MULTI",
        "  said: Bike <1>.color.hset       HSET :bike:1:hash ?",
        "  effect: index Bike.color, old   SREM :bike:color:? ?",
        "  effect: index Bike.color, new   SADD :bike:color:? ?",
        "                                  EXEC",
    ] == plan.text(hide_values=True).splitlines()


@pytest.mark.parametrize(
    ("name", "change", "args", "slow"),
    [
        ("LREM", Computed(), ("1", "x"), True),
        ("LSET", Computed(), ("0", "x"), True),
        ("LINSERT", Computed(), ("BEFORE", "x", "y"), True),
        ("LTRIM", Computed(), ("0", "1"), True),
        ("RPUSH", Added(("x",)), ("x",), False),
        ("LPOP", Computed(), (), False),
    ],
)
def test_the_head_warns_of_steps_that_cost_more_than_they_say(
    name: str, change: Computed, args: tuple[str, ...], slow: bool
) -> None:
    """Commands whose cost grows with what their key holds are named in the head, others are not."""
    said = [write(stored(BIKE, "1"), "stages", change, name, *args)]
    asked = {("LRANGE", ":bike:1:stages", "0", "-1"): ["x", "y"]} if isinstance(change, Computed) else {}
    head = str(planned(said, THERE | asked)).splitlines()[0]
    assert slow == head.endswith(f"; O(N): {name}")
    assert slow == ("O(N)" in head)


def test_long_values_are_cut_on_paper_only() -> None:
    """The printed plan cuts long values and calls; commands() has them whole."""
    bike = stored(BIKE, "1")
    said = [hset(bike, "note", 1_000 * "x"), sadd(bike, "tags", *map(str, range(100)))]
    plan = planned(said, THERE)
    assert f"HSET :bike:1:hash note {57 * 'x'}...\n" in f"{plan}\n"
    assert "SADD :bike:1:tags 0 1 2 3 4 5 6 7 8 9 ... (101 arguments)\n" in f"{plan}\n"
    assert f"HSET :bike:1:hash note {1_000 * 'x'}\n" in plan.commands()
    assert f"SADD :bike:1:tags {' '.join(map(str, range(100)))}\n" in plan.commands()


def test_commands_are_bare_lines() -> None:
    """commands() holds every call, one a line, and nothing else."""
    plan = planned([hset(stored(BIKE, "1"), "color", "sky blue")], THERE | {("HGET", ":bike:1:hash", "color"): "red"})
    assert [
        "WATCH :bike:1:hash :bike:__guard__:1",
        "HGET :bike:1:hash color",
        "SISMEMBER :bike:collection 1",
        "MULTI",
        'HSET :bike:1:hash color "sky blue"',
        "SREM :bike:color:red 1",
        'SADD ":bike:color:sky blue" 1',
        "EXEC",
        "",
    ] == plan.commands().split("\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain-1.5_x:/@", "plain-1.5_x:/@"),
        ("", '""'),
        ("two words", '"two words"'),
        ("it's", '"it\'s"'),
        ('say "x"', '"say \\"x\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("\n\r\t\a\b\0", '"\\n\\r\\t\\a\\b\\x00"'),
        ("é", '"\\xc3\\xa9"'),
        ("\udcff", '"\\xff"'),
        ("#;$", '"#;$"'),
    ],
)
def test_quoting(text: str, expected: str) -> None:
    """What is not plain stands in double quotes, with the escapes that redis-cli reads."""
    assert expected == quote(text)


@pytest.mark.parametrize("pk", ["a\nb", "\udcff", "\x1b[2J", "<x>"])
def test_a_pk_never_breaks_the_print(pk: str) -> None:
    """Whatever the chosen pk, a plan is text that can be printed, one line a call, without control characters."""
    said: list[Create] = [create(Identity(SHOP, pk, State.CREATED, 1), city="Rome")]
    plan = planned(said, {("SISMEMBER", ":shop:collection", pk): 0})
    text = str(plan)
    assert text == text.encode("utf-8").decode()
    assert 1 + len(plan.calls()) == len(text.split("\n"))
    assert text.replace("\n", "").isprintable()


def test_titles_name_one_object_and_count_several() -> None:
    """The head says what changes: one object by model and pk, several by their number."""
    plan = planned(
        [create(new(BIKE, 1), color="red"), delete(stored(SHOP, "x"))],
        {
            ("HGET", ":shop:x:hash", "city"): None,
            ("SISMEMBER", ":shop:collection", "x"): 1,
        },
        first_pk=3,
    )
    assert "plan: Bike <3> created, Shop <x> deleted;" in str(plan)
    both = planned([create(new(BIKE, 1), color="red"), create(new(BIKE, 2), color="red")], {})
    assert "plan: 2 Bike created;" in str(both)
    assert 4 == len(steps(both))
