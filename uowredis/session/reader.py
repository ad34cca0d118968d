"""``Reader``: answers questions in the data as it will be right after the commit (drive what decides)."""

from __future__ import annotations

import functools
import operator
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from uowredis.commands.calls import Call
from uowredis.commands.commands import Read
from uowredis.exceptions import UowError
from uowredis.executor.drive import drive
from uowredis.executor.line import Line
from uowredis.overlay.overlay import Overlay
from uowredis.overlay.recorder import Recorder
from uowredis.plan.requests import Deciding, Request
from uowredis.planner.rehearsal import Rehearsal
from uowredis.session.echo import Echo
from uowredis.session.learning import Learning

if TYPE_CHECKING:
    from uowredis.executor.executor import Executor
    from uowredis.session import context
    from uowredis.session.options import Options

T = TypeVar("T")

#: Asked of a database several times in each call.
_EXECUTOR: Callable[[context.Database], Executor] = operator.attrgetter("_executor")


class Reader:
    """One session's eyes; a single call that only reads is no more than this.

    Args:
        database: where.
        options: of the session.
        dry_run: allocate no primary keys.

    Attributes:
        line: to the server; a commit goes over the same.
        fingerprints: what is known of them.
        echo: logs what is sent, where that is wanted.
        overlay: what is pending, over what the server holds.
        answer: waits for the server; ``unlogged`` the same without the echo.
    """

    __slots__ = ("_database", "answer", "echo", "fingerprints", "line", "overlay", "unlogged")

    #: What it is made of.
    line_class: ClassVar[type[Line]] = Line
    learning_class: ClassVar[type[Learning]] = Learning
    echo_class: ClassVar[type[Echo]] = Echo

    def __init__(self, database: context.Database, options: Options, *, dry_run: bool = False) -> None:
        self._database = database
        self.line = self.line_class(functools.partial(_EXECUTOR, database))
        self.overlay = Overlay(
            Rehearsal(options.rehearsal_limit, random.getrandbits(32)),
            dry_run=dry_run,
            by_keys=database._is_cluster,
            speak=database._fingerprints.want,
        )
        self.fingerprints = database._fingerprints
        learning = self.learning_class(self.fingerprints, self.line.answer)
        self.unlogged: Callable[[Request], Any] = learning.answer
        self.echo = None
        if options.echo:
            self.echo = self.echo_class(
                learning.answer, learning.extended, lambda key: database._executor.collation_calls(key)
            )
        self.answer: Callable[[Request], Any] = learning.answer if self.echo is None else self.echo.answer

    def find(self, question: Callable[[Overlay], Deciding[T]]) -> T:
        """Return what *question* finds, at once.

        Raises:
            PendingWrites: where that cannot be known exactly.
        """
        try:
            return drive(question(self.overlay), self.answer)
        except UowError:
            raise
        except BaseException:
            # An interruption may have come while something was noted for the next read.
            self.overlay.look_anew()
            raise

    def read(self, read: Read[T]) -> T:
        """Answer *read*, at once.

        Raises:
            DoesNotExist: where the object was deleted, or made in a session that was rolled back.
            PendingWrites: where that cannot be known exactly.
        """
        found: T = self.find(lambda overlay: overlay.read_all((read,)))[0]
        return found

    def explain(self, question: Callable[[Overlay], Deciding[Any]]) -> list[tuple[Call, ...]]:
        """Return the calls that :meth:`find` would send for *question*, a tuple a round trip; nothing is sent."""
        executor = self._database._executor
        recorder = Recorder(executor.collation_calls(""), by_bytes=executor.may_sort_by_bytes, scripts=executor.scripts)
        drive(question(self.overlay.recorded()), recorder.answer)
        return recorder.rounds
