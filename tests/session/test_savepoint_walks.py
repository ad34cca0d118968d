"""Whatever is said in savepoints and forgotten: it is as if it had never been said."""

from typing import Any

import attrs
import pytest
from hypothesis import given

from tests.session.programs import PROGRAMS, Graph, Program, Run, heard, plain
from tests.tools.backends import Backend, Dump
from uowredis import DoesNotExist, NotCommitted, Session


@attrs.frozen
class Result:
    """All that can be seen of a program, before its commit and after it."""

    heard: Any
    seen: Any
    symbolic: Any
    plan: Any
    replies: Any
    settled: Any
    afterwards: Any
    dump: Dump


def result(server: Backend, program: Program, *, with_forgotten: bool) -> tuple[Result, Run]:
    """Run *program* on an empty *server* with two objects of each model, and commit it."""
    server.flush()
    with server.database() as database:
        graph = Graph(database)
        with Session(database, on_pending="discard") as s:
            run = Run(s, graph, graph.fill(), with_forgotten)
            s.commit()
            run.run(program)
            said = [plain(each) for each in run.heard]
            seen = list(run.seen())
            symbolic = heard(lambda: str(s.plan(symbolic=True)))
            plan = heard(lambda: s.plan().to_json())
            replies = plain(heard(s.commit))
            if s.pending:
                s.rollback()
            settled = [plain(each) for each in run.heard]
            afterwards = [heard(lambda each=each: plain(each)) for each in run.handles], list(run.seen())
        dump = server.dump()
        check_forgotten(run)
        return Result(said, seen, symbolic, plan, replies, settled, afterwards, dump), run


def check_forgotten(run: Run) -> None:
    """What was made in what was forgotten does not exist, and what was said there has no reply."""
    for made in run.lost:
        with pytest.raises(DoesNotExist):
            made.label.hget()
        with pytest.raises(DoesNotExist):
            made.label.hset("a")
    for pending in run.dropped:
        with pytest.raises(NotCommitted, match="rolled back"):
            pending.result


@given(program=PROGRAMS)
def test_as_if_it_had_never_been_said(server: Backend, program: Program) -> None:
    """Plans, replies, refusals and their words, what is stored and what is read are those of the rest alone."""
    with_it, _ = result(server, program, with_forgotten=True)
    without, _ = result(server, program, with_forgotten=False)
    assert attrs.asdict(without) == attrs.asdict(with_it)
