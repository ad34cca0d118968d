"""The walk of two clients, with the first one on the asyncio face, cancelled now and then where it waits.

Whatever is cancelled, every index says what the fields say after it, and a commit happens once and whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.aio.models import Awaited
from tests.models import EveryKind, every_kind
from tests.tools.backends import Backend, Real
from tests.tools.host import Host, declared
from tests.whole.walks.test_index import Walk


class AwaitedWalk(Walk):
    """The same walk; what was cancelled with no session open was done, or not."""

    def __init__(self, backend: Backend, host: Host, ours: EveryKind, theirs: EveryKind, *, cancels: bool) -> None:
        super().__init__(backend, ours, theirs)
        self.host = host
        # Anew for each walk, which hypothesis repeats.
        chance = random.Random(0)
        host.when = lambda: chance.randrange(4) if cancels and chance.random() < 0.6 else None

    def handle(self, place: int) -> Any:
        """Return an object; where the creation of the first one was cancelled, another."""
        while not self.handles:
            self.create_thing({"note": "there"})
        return super().handle(place)

    @contextlib.contextmanager
    def allowed(self) -> Any:
        """Let a command be cancelled, too."""
        try:
            with super().allowed():
                yield
        except asyncio.CancelledError:
            if self.session is None:
                self.journal.clear()
                self.look()
            else:
                self.unchanged()


def walk(server: Backend, few: int, *, cancels: bool) -> int:
    """Walk on *server*; return how often something was cancelled."""
    with Host() as host:
        awaited = Awaited(server, host)
        ours = declared(every_kind, awaited.database(), renamed=True)
        theirs = every_kind(server.database(), renamed=True)
        examples = settings(max_examples=max(1, settings.default.max_examples // few))
        run_state_machine_as_test(lambda: AwaitedWalk(server, host, ours, theirs, cancels=cancels), settings=examples)
        host.when = lambda: None
        awaited.close()
        return host.cancelled


def test_every_index_says_what_the_fields_say(server: Backend) -> None:
    """Whatever two clients say, one of each face, in sessions or not."""
    assert walk(server, 6, cancels=False) == 0


def test_every_index_says_what_the_fields_say_whatever_is_cancelled(real: Real) -> None:
    """At any wait; in process hardly anything waits."""
    assert walk(real, 3, cancels=True) > 5
