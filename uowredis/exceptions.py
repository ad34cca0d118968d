"""Every error of uowredis, sorted by whose turn it is.

::

    UowError
    ├── ImplementationError      the declaration or the use of a model is wrong (also a ValueError)
    ├── ArgumentError            an argument cannot be sent (also a ValueError)
    │   └── ArgumentTypeError    ... because of its type (also a TypeError)
    ├── DoesNotExist             the object is not there (also a LookupError)
    ├── UnreadableValue          what is stored is no value of its field's type (also a ValueError)
    ├── DeclarationChanged       a model is declared with more than its data was written with
    │   └── IndexNotReady        ... and an answer would stand on an index that lacks some of it
    ├── SessionError             a session was used in a way it cannot work (also a RuntimeError)
    │   ├── UncommittedWrites    a session was left with writes that were never sent
    │   ├── PendingWrites        a read cannot be answered exactly before the commit
    │   └── NotCommitted         a reply was used before the commit that brings it
    ├── ReplyLost                a reply was lost with its connection; the commit was applied
    ├── NotReplicated            fewer replicas than asked for had a commit in time; it was applied
    └── CommitError              a commit did not end as "applied"; ``error.plan`` is what was tried
        ├── Conflict             nothing applied: others changed what the plan stands on
        ├── Rejected             nothing applied: refused by the planner, by Redis, or never sent
        │   ├── UniquenessError  a unique value is taken
        │   ├── RestrictedError  others refer to what should be deleted, and that keeps it
        │   ├── TooManyGuards    more watched keys than one transaction bears
        │   ├── PlanTooLarge     more steps than the session allows
        │   └── Unreachable      the server cannot be reached, is loading, or the connection was lost before EXEC
        │                        (also a ConnectionError)
        ├── PartiallyApplied     a command failed inside EXEC, the others were applied
        └── OutcomeUnknown       the connection was lost around EXEC, and the server cannot be asked: nobody knows
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from typing import Any

#: Characters that a message or a note may have; what is longer is cut in the middle.
MOST_CHARACTERS = 4_000


def bounded(message: str) -> str:
    """Return *message*, cut in the middle where it is long: it begins with what happened and ends with the way out."""
    if len(message) <= MOST_CHARACTERS:
        return message
    half = MOST_CHARACTERS // 2 - 40
    return f"{message[:half]} ... (cut: {len(message):,} characters) ... {message[-half:]}"


class UowError(Exception):
    """The root of every error raised by uowredis.

    Each can be copied and pickled with all that it carries; its text and its notes have a bounded length.
    """

    def __init__(self, message: str = "", *more: object) -> None:
        super().__init__(*([bounded(message)] if message else []), *more)

    def add_note(self, note: str) -> None:
        """Add *note*, cut where it is long."""
        super().add_note(bounded(note))

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[UowError], args: tuple[Any, ...], carried: dict[str, Any]) -> UowError:
    """Return the error that was copied or pickled; what it carries was given to its constructor by name."""
    error = kind.__new__(kind, *args)
    # Where Python's own error is a base, it leaves them to a constructor, which is not called here.
    error.args = args
    error.__dict__.update(carried)
    return error


class ImplementationError(UowError, ValueError):
    """A model or a field is declared or used in a way that cannot work."""


class ArgumentError(UowError, ValueError):
    """An argument of a command cannot be sent; nothing was written."""


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument has a type that Redis has no spelling for; nothing was written."""


class DoesNotExist(UowError, LookupError):
    """The object asked for is not in Redis, was deleted, or was never committed.

    Each model has a class of its own, ``Bike.DoesNotExist``, below those of the models it is derived from and this one.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        kind = type(self)
        return _again_of_model, (kind.__module__, kind.__qualname__, self.args, self.__dict__)


def _again_of_model(module: str, name: str, args: tuple[Any, ...], carried: dict[str, Any]) -> UowError:
    """Return the error that was copied or pickled; where nobody finds the class of its model, of the general one."""
    kind: Any = sys.modules.get(module)
    for part in name.split("."):
        kind = getattr(kind, part, None)
    return _again(kind if isinstance(kind, type) and issubclass(kind, DoesNotExist) else DoesNotExist, args, carried)


def absent(model: Any, message: str) -> DoesNotExist:
    """Return the error for an object that is not there.

    Args:
        model: the schema of its model, which may know a class of its own for that.
        message: what is said.
    """
    kind: type[DoesNotExist] = model.absent or DoesNotExist
    return kind(message)


class UnreadableValue(UowError, ValueError):
    """What is stored cannot be read by the type of its field.

    Attributes:
        model: name of the model.
        pk: primary key of the object, None where the reply does not tell it.
        field: name of the field.
        text: what is stored, as text.
    """

    def __init__(self, message: str, *, model: str, pk: str | None, field: str, text: str) -> None:
        super().__init__(message)
        self.model = model
        self.pk = pk
        self.field = field
        self.text = text


class DeclarationChanged(UowError):
    """A model is declared with more than its data was written with; nothing was written."""


class IndexNotReady(DeclarationChanged):
    """An answer would stand on an index that does not have all it should; nothing was written."""


class SessionError(UowError, RuntimeError):
    """A session was used in a way it cannot work."""


class UncommittedWrites(SessionError):
    """A session was left cleanly with writes that were neither committed nor rolled back."""


class PendingWrites(SessionError):
    """A read cannot be answered as it would be right after the commit; the message names the commands."""


class NotCommitted(SessionError):
    """A reply was used before the commit that brings it."""


class ReplyLost(UowError):
    """The reply of a command was lost with its connection; the commit was applied."""


class NotReplicated(UowError):
    """Fewer replicas than asked for had a commit in time; it was applied.

    Attributes:
        replicas: how many had it, None where that is not known.
    """

    def __init__(self, message: str, *, replicas: int | None) -> None:
        super().__init__(message)
        self.replicas = replicas


class CommitError(UowError):
    """A commit did not end as "applied".

    Attributes:
        plan: the plan that was tried, or None where there was none yet.
    """

    plan: Any = None


class Conflict(CommitError):
    """Others changed what the plan stands on, more often than the session tries again; nothing was applied.

    Attributes:
        keys: the watched keys whose replies differ from those of the attempt before (possibly none).
        watched: every watched key.
        fields: what is behind *keys*, in words: ``Bike <1>.name``, ``index Bike.name``.
    """

    def __init__(
        self, message: str, keys: Sequence[str] = (), watched: Sequence[str] = (), fields: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.keys = tuple(keys)
        self.watched = tuple(watched)
        self.fields = tuple(fields)


class Rejected(CommitError):
    """The planner or Redis refused, or the commands were never sent; nothing was applied."""


class CrossPlace(Rejected):
    """A commit is on objects of several places, which no transaction can hold together; nothing was sent.

    Attributes:
        places: the places, sorted.
    """

    def __init__(self, message: str, places: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.places = tuple(places)


class UniquenessError(Rejected):
    """A unique value belongs to another instance; nothing was applied.

    Attributes:
        field: name of the unique field; of several that are unique together their names, with ``, `` between.
        value: the value claimed, as its field gives it; of several a tuple.
        key: the index key of that value.
        pk: primary key of the instance that holds it (None where it is not stored yet).
    """

    def __init__(self, message: str, *, field: str, value: Any, key: str, pk: str | None) -> None:
        super().__init__(message)
        self.field = field
        self.value = value
        self.key = key
        self.pk = pk


class RestrictedError(Rejected):
    """An object cannot be deleted, because others refer to it by ``on_delete=RESTRICT``; nothing was applied.

    Attributes:
        referrers: those that refer to it, each as (model, primary key, field).
    """

    def __init__(self, message: str, *, referrers: Sequence[tuple[str, str, str]]) -> None:
        super().__init__(message)
        self.referrers = tuple(referrers)


class TooManyGuards(Rejected):
    """The plan watches more keys than one transaction bears, and scripts are off; commit in batches."""


class PlanTooLarge(Rejected):
    """The plan has more steps than the session's limit; commit in batches or raise the limit."""


class Unreachable(Rejected, ConnectionError):
    """The server is not there, is loading, or went away before EXEC was sent; nothing was applied."""


class PartiallyApplied(CommitError):
    """A command failed inside EXEC, which does not undo the others.

    Attributes:
        results: the reply of each step, in the order of ``plan.steps``; an exception where the step failed.
    """

    def __init__(self, message: str, results: Sequence[Any]) -> None:
        super().__init__(message)
        self.results = tuple(results)


class OutcomeUnknown(CommitError):
    """The connection was lost around EXEC, and the server cannot be asked: applied whole, or not at all.

    Attributes:
        token: by which ``db.settle()`` asks again, also from another process; None where the command carried none.
    """

    def __init__(self, message: str, *, token: Any = None) -> None:
        super().__init__(message)
        self.token = token


def missing(what: object, name: str, called_here: Mapping[str, str]) -> AttributeError:
    """Return the error for an attribute that is not there, with what it is *called here*."""
    hint = f". Way out: {called_here[name]}" if name in called_here else ""
    return AttributeError(f"{what} has no attribute {name!r}{hint}")


def attribute(instance: object, what: object, name: str, called_here: Mapping[str, str]) -> Any:
    """Answer ``__getattr__``: raise what an attribute that is there raised, else that it is not there."""
    found = inspect.getattr_static(type(instance), name, None)
    if hasattr(found, "__get__"):  # it raised an AttributeError of its own, which is meant
        return found.__get__(instance, type(instance))
    raise missing(what, name, called_here)
