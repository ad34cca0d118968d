"""After any walk of two clients over a graph, one of each face, both sides of each relation agree."""

from hypothesis.stateful import run_state_machine_as_test

from tests.aio.models import Awaited
from tests.aio.walks import FEW
from tests.tools.backends import Backend
from tests.tools.host import declared
from tests.whole.walks.graph import declare
from tests.whole.walks.test_relations import Walk


def test_relations_agree_and_nothing_dangles(awaited: Awaited, server: Backend) -> None:
    """Whatever two clients say, at once, in sessions, committed or not, a model in plain Python tells what is there."""
    ours, theirs = declared(declare, awaited.database()), declare(server.database())
    run_state_machine_as_test(lambda: Walk(server, ours, theirs), settings=FEW)
