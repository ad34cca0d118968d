"""Which key a call is about, and which slot that is in: as the server tells, and as redis-py reckons."""

import pytest
import redis
from redis.crc import key_slot

from tests.tools.backends import Real
from uowredis.commands.calls import Call
from uowredis.executor.slots import key_of, slot_of_key, slots_of

CALLS: list[Call] = [
    ("SET", "k", "v"),
    ("WATCH", "k", "l"),
    ("MSET", "k", "1", "l", "2"),
    ("SORT", "k", "BY", "nosort"),
    ("SINTERSTORE", "k", "l", "m"),
    ("ZRANGESTORE", "k", "l", "0", "1", "BYSCORE"),
    ("ZUNIONSTORE", "k", "2", "l", "m"),
    ("EVAL", "return 1", "2", "k", "l", "a"),
    ("EVAL", "return 1", "0"),
    *((name, "2", "k", "l") for name in ("SINTERCARD", "ZDIFF", "ZINTER", "ZINTERCARD", "ZUNION")),
    *((name,) for name in ("DBSIZE", "EXEC", "INFO", "MULTI", "UNWATCH")),
    ("CONFIG", "GET", "maxmemory"),
    ("WAIT", "0", "0"),
]


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_the_first_key_is_the_one_that_the_server_finds(real: Real, call: Call) -> None:
    """None where it finds none."""
    with real.client() as client:
        try:
            found = next(iter(client.command_getkeys(*call)), None)
        except redis.ResponseError as error:
            if "Invalid command" in str(error):
                pytest.skip(f"{call[0]} came later than this server")
            found = None
    assert found == key_of(call)
    assert [None if found is None else key_slot(found.encode())] == slots_of([call])


@pytest.mark.parametrize(
    "key", ["", "a", "{a}b", "{}a", "{}", "a{}{b}", "a{b}c{d}", "{a", "a}", "}{a}", "{{a}}", "x{é}y", "é", "a{:b}:c"]
)
def test_slots_are_those_that_redis_py_reckons(key: str) -> None:
    """Of what stands between the first braces, where that is something."""
    assert key_slot(key.encode()) == slot_of_key(key)
