"""What a generator asks of whoever drives it (decide, pure): ``Send``, ``Transact``, ``Fetch``, ``Apply`` and the like.

The contract of all that decides: a generator yields one request at a time, is sent the answer, and returns what it
decided; an error of the server is thrown in at the yield. It never waits itself, so that whatever drives it may wait in
its own way. Replies are raw, as they come from the connection.

===============  ==================================================================================================
``Send``         calls in one round trip, on any connection; answered with their replies
``Transact``     reading calls with temporary keys, in one MULTI on any connection; answered with their replies
``TransactEach`` several of these, each of another place, in one round trip; answered with the replies of each
``Collation``    answered with whether the server sorts text by its bytes
``Scripts``      answered with whether the server runs scripts
``Fetch``        (in ``steps``) keys to watch and reads to make, on the pinned connection; answered with the replies
``Apply``        the transaction of a plan, on the pinned connection; answered with the reply of each step, with None
                 where a guard had changed, or with what is known where its reply was lost (``Lost``)
``Settle``       a token; answered with what became of its transaction
``Release``      watch nothing any more; the pinned connection is given back
``Pause``        let some time pass
``Again``        answered with whether what was refused is to be tried again: nothing of it was applied
===============  ==================================================================================================
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import attrs

from uowredis.commands.calls import Call
from uowredis.plan.steps import Fetch
from uowredis.plan.token import Token

if TYPE_CHECKING:
    from uowredis.plan.plan import Plan

T = TypeVar("T")


@attrs.frozen
class Send:
    """Calls that need no transaction, in one round trip."""

    calls: Sequence[Call]


@attrs.frozen
class Transact:
    """Reading calls that need temporary keys, in one transaction of their own."""

    calls: Sequence[Call]


@attrs.frozen
class TransactEach:
    """Several transactions that only read, each in another place."""

    each: Sequence[Sequence[Call]]

    @property
    def calls(self) -> Sequence[Call]:
        """The calls of all of them."""
        return [call for calls in self.each for call in calls]


@attrs.frozen
class Collation:
    """Whether the server sorts text by its bytes; *key* is a temporary one to try it on."""

    key: str


@attrs.frozen
class Scripts:
    """Whether the server runs scripts."""


@attrs.frozen
class Apply:
    """The transaction of a plan."""

    plan: Plan


class Lost(enum.Enum):
    """What became of a transaction whose reply was lost, by its token.

    The connection is lost with it, and all that was watched on it.
    """

    #: It was not applied, and never will be.
    VOID = "not applied"
    #: It was applied; this stands for the reply of a step, too.
    APPLIED = "applied"


@attrs.frozen
class Settle:
    """What became of the transaction of *token*; where it was not applied, it never will be."""

    token: Token


@attrs.frozen
class Release:
    """Watch nothing any more.

    Attributes:
        spent: the token of a commit whose outcome was noted: nobody will ask for it.
    """

    spent: Token | None = None


@attrs.frozen
class Pause:
    """Let *seconds* pass."""

    seconds: float


@attrs.frozen
class Again:
    """Whether what *error* refused is worth another try, since it may be served elsewhere by now.

    Attributes:
        error: of the last try.
        since: the moment of the first one.
    """

    error: Exception
    since: float


Request: TypeAlias = (
    Send | Transact | TransactEach | Collation | Scripts | Fetch | Apply | Settle | Release | Pause | Again
)

#: A generator that decides.
Deciding: TypeAlias = Generator[Request, Any, T]


def relay(turns: Deciding[T], ask: Callable[[Any], Deciding[Any]]) -> Deciding[T]:
    """Drive *turns* from within a generator: *ask* makes of each request a generator that gets its answer."""
    answer = None
    try:
        while True:
            answer = yield from ask(turns.send(answer))
    except StopIteration as end:
        result: T = end.value
        return result
