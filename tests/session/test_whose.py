"""Whose a session is: one process', one thread's, one task's; one that was left is nobody's any more."""

import contextvars
import gc
import os
import sys
from types import FrameType
from typing import Any

import pytest

from tests.models import products
from tests.tools.backends import Backend, Real
from uowredis import Session, SessionError


def in_child(work: Any) -> str:
    """Return what *work* returns in a process forked here."""
    inside, outside = os.pipe()
    if os.fork() == 0:
        os.close(inside)
        try:
            said = str(work())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(outside, said.encode())
        os._exit(0)
    os.close(outside)
    with os.fdopen(inside, "rb") as pipe:
        said = pipe.read().decode()
    os.wait()
    return said


@pytest.mark.parametrize("watching", [False, True])
def test_a_session_belongs_to_the_process_that_opened_it(real: Real, watching: bool) -> None:
    """After a fork nothing is open in the child: it sends at once, opens its own, and may not touch this one."""
    on = real.database()
    bread = products(on)(name="bread", stock=1)
    with Session(on, watch_reads=watching) as session:
        bread.stock.get()
        bread.stock.incr(10)

        def own() -> list[Any]:
            sent = bread.stock.incr(100)
            with Session(on) as mine:
                bread.stock.incr(1000)
                mine.commit()
            with pytest.raises(SessionError, match="another process"):
                session.commit()
            return [sent, bread.stock.get()]

        assert "[101, '1101']" == in_child(own)
        session.rollback()
        bread.stock.incr(10)
        assert [1111] == session.commit()


def test_a_session_that_was_left_takes_nothing_in_a_copied_context(server: Backend) -> None:
    """A context that was copied while it was open outlives it: what is said there is sent."""
    on = server.database()
    bread = products(on)(name="bread", stock=1)
    with Session(on) as session:
        copied = contextvars.copy_context()
        session.rollback()
    assert 2 == copied.run(bread.stock.incr)
    assert "2" == bread.stock.get()
    assert copied.run(lambda: Session(on).__enter__()) is not None


def test_an_interruption_at_the_first_instruction_of_leaving(server: Backend) -> None:
    """The context holds a session only as long as somebody else does: what follows is sent, others can be opened."""
    on = server.database()
    bread = products(on)(name="bread", stock=1)

    def interrupt(frame: FrameType, event: str, _: object) -> None:
        if frame.f_code is Session.__exit__.__code__:
            sys.settrace(None)
            raise KeyboardInterrupt

    former = sys.gettrace()
    with pytest.raises(KeyboardInterrupt) as caught:
        try:
            with Session(on) as session:
                session.rollback()
                sys.settrace(interrupt)
        finally:
            sys.settrace(former)
    del session, caught
    gc.collect()
    assert 101 == bread.stock.incr(100)
    on.run(lambda _: bread.stock.incr())
    assert "102" == bread.stock.get()
