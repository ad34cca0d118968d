"""What the server would refuse inside EXEC is refused before: the rehearsal must be no more lenient than Redis."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.models import every_kind
from tests.tools.backends import Backend
from uowredis import PendingWrites, Rejected, Session

#: Texts that other parsers take for a finite number; Redis adds nothing to them.
NO_FLOATS = ("1_0", "inf", "-inf", "infinity", "nan", " 1", "1 ", "", "a", "\u0661", "1e")
#: Texts that other parsers take for an integer.
NO_INTEGERS = ("1_0", "+1", " 1", "1 ", "01", "-0", "", "1.0", "0x10", "\u0661", "9223372036854775808")
FLOAT_SUMS: dict[str, Callable[[Any], Any]] = {
    "string": lambda thing: thing.title.incrbyfloat(1),
    "entry of the instance": lambda thing: thing.name.hincrbyfloat(1),
    "entry of a hash": lambda thing: thing.headers.hincrbyfloat("e", 1),
}
INTEGER_SUMS: dict[str, Callable[[Any], Any]] = {
    "string": lambda thing: thing.title.incr(),
    "string, down": lambda thing: thing.title.decr(),
    "entry of the instance": lambda thing: thing.name.hincrby(),
    "entry of a hash": lambda thing: thing.headers.hincrby("e"),
}
#: The largest and the smallest integer of Redis, and the sums beyond them.
BEYOND: list[tuple[str, str, Callable[[Any], Any]]] = [
    (str(2**63 - 1), "string", lambda thing: thing.title.incr()),
    (str(-(2**63)), "string", lambda thing: thing.title.decr()),
    (str(2**63 - 1), "entry of the instance", lambda thing: thing.name.hincrby()),
    (str(-(2**63)), "entry of a hash", lambda thing: thing.headers.hincrby("e", -1)),
]
SUMS = [*BEYOND, *((value, name, add) for value in NO_FLOATS for name, add in FLOAT_SUMS.items())]
SUMS += [(value, name, add) for value in NO_INTEGERS for name, add in INTEGER_SUMS.items()]


@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "bare"])
def test_a_sum_with_what_is_no_number_is_refused_whole(server: Backend, indexed: bool) -> None:
    """A sum that Redis would refuse for what is stored refuses the whole session; nothing of it is written."""
    models = every_kind(server.database(), indexed=indexed, renamed=True)
    for value, name, add in SUMS:
        server.flush()
        thing = models.Thing(title=value, name=value, headers={"e": value}, rows=("a",))
        before = server.dump()
        with Session(models.database) as session:
            thing.rows.rpush("b")
            add(thing)
            with pytest.raises(Rejected):
                session.commit()
            session.rollback()
        assert before == server.dump(), f"{name} holding {value!r}"


@pytest.mark.parametrize("value", NO_FLOATS)
def test_what_would_be_refused_has_no_answer_either(server: Backend, value: str) -> None:
    """A read over a pending sum that Redis would refuse raises PendingWrites, it does not answer a made up sum."""
    thing = every_kind(server.database(), renamed=True).Thing(title=value)
    with Session(type(thing).database) as session:
        thing.title.incrbyfloat(1)
        with pytest.raises(PendingWrites):
            thing.title.get()
        session.rollback()
