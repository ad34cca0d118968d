"""A plan as JSON: for looking and comparing, with any bytes."""

import base64
import json

import pytest

from tests.planner.stage import BIKE, SHOP, create, delete, hset, new, planned, sadd, stored, write
from uowredis.commands.changes import Added, Computed
from uowredis.commands.identity import Identity, State
from uowredis.plan import Plan
from uowredis.planner import Limits

#: Bytes that are no UTF-8, as text.
BINARY = bytes(range(256)).decode("utf-8", "surrogateescape")
THERE = {("SISMEMBER", ":bike:collection", "1"): 1}


def of_a_creation() -> Plan:
    bike = new(BIKE, 1)
    said = [create(bike, sadd(bike, "tags", BINARY, "é", ""), name="a\nb", note=BINARY)]
    return planned(said, {("SMEMBERS", ":bike:name:a\nb"): []})


def of_binary_replies() -> Plan:
    bike = stored(BIKE, "1")
    said = [
        write(bike, "stages", Computed(), "LPOP"),
        write(bike, "races", Added((BINARY,)), "ZADD", "1.5", BINARY),
        hset(bike, "color", BINARY),
    ]
    answers = {("LRANGE", ":bike:1:stages", "0", "-1"): [BINARY, ""], ("HGET", ":bike:1:hash", "color"): None}
    return planned(said, THERE | answers)


def of_binary_pks() -> Plan:
    shop = Identity(SHOP, BINARY, State.CREATED, 1)
    return planned([create(shop, city="Rome")], {("SISMEMBER", ":shop:collection", BINARY): 0})


def of_a_script() -> Plan:
    answers = {("HGET", ":bike:1:hash", "color"): BINARY} | THERE
    return planned([hset(stored(BIKE, "1"), "color", "blue")], answers, limits=Limits(watched=0))


def of_nothing_known() -> Plan:
    return planned([hset(stored(BIKE, "1"), "color", "blue"), delete(stored(SHOP, "x"))], {}, symbolic=True)


PLANS = [of_a_creation, of_binary_replies, of_binary_pks, of_a_script, of_nothing_known]


@pytest.mark.parametrize("make", PLANS)
def test_what_was_written_is_read_back(make: object) -> None:
    """from_json(to_json()) is an equal plan that sends the same calls and prints the same text."""
    plan = make()
    again = Plan.from_json(plan.to_json())
    assert plan == again
    assert plan.calls() == again.calls()
    assert str(plan) == str(again)
    assert plan.text(hide_values=True) == again.text(hide_values=True)
    assert plan.to_json() == again.to_json()


@pytest.mark.parametrize("make", PLANS)
def test_the_json_is_utf_8(make: object) -> None:
    """Whatever the bytes of values and pks, the JSON can be written to a file."""
    text = make().to_json()
    assert json.loads(text) == json.loads(text.encode("utf-8"))


def test_bytes_that_are_no_text_stand_in_base64() -> None:
    """What is UTF-8 stands as it is, what is not as {"base64": ...}."""
    data = json.loads(of_a_creation().to_json())
    encoded = {"base64": base64.b64encode(bytes(range(256))).decode()}
    assert ["HSET", ":bike:1:hash", "name", "a\nb", "note", encoded] == data["steps"][0]["call"]
    assert ["SADD", ":bike:1:tags", encoded, "é", ""] == data["steps"][1]["call"]


def test_plans_are_equal_when_they_send_the_same_for_the_same_reasons() -> None:
    """A reply, a reason, a step or a pk more or less makes another plan."""

    def plan(old: str, *colors: str) -> Plan:
        bike = stored(BIKE, "1")
        said = [hset(bike, "color", color) for color in colors]
        return planned(said, THERE | {("HGET", ":bike:1:hash", "color"): old})

    assert plan("red", "blue") == plan("red", "blue")
    assert plan("red", "blue") != plan("pink", "blue")
    assert plan("red", "blue") != plan("red", "green")
    assert plan("red", "blue") != plan("red", "blue", "blue")
    assert plan("red", "blue") != str(plan("red", "blue"))
