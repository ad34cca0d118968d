"""Where an example happens: with no session open, or inside one; and what must be the same in both."""

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from uowredis import RedisDatabase, Session
from uowredis.session import Pending

Say = Callable[[], Iterable[Any]]
Question = Callable[[], Any]


@attrs.frozen
class Place:
    """A database, and whether a session is open while something is said on it.

    Attributes:
        database: where the models are.
        inside: a session is open.
    """

    database: RedisDatabase
    inside: bool

    def happens(self, say: Say, ask: Question) -> tuple[list[Any], Any]:
        """Return the replies to what *say* says, and the answer of *ask*.

        In a session the answer is asked for while all is pending, after the commit, and after leaving: it is the same.
        """
        if not self.inside:
            return list(say()), ask()
        with Session(self.database) as session:
            said = list(say())
            pending = ask()
            session.commit()
            assert pending == ask()
        assert pending == ask()
        return [reply.result if isinstance(reply, Pending) else reply for reply in said], pending

    def answers(self, say: Question, ask: Question) -> Any:
        """Return the answer of *ask*, as :meth:`happens` does; what *say* returns does not matter."""
        return self.happens(lambda: (say(), ())[1], ask)[1]
