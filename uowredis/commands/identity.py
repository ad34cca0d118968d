"""Which object a command is about, and where it stands in its life (say, pure).

All transitions are in this file: ``Identity.become`` applies the table ``TRANSITIONS``, and nobody else writes a state.
"""

from __future__ import annotations

import enum

import attrs

from uowredis.commands.arguments import Placeholder
from uowredis.commands.replies import printable
from uowredis.exceptions import ImplementationError
from uowredis.schema.models import ModelSchema


class State(enum.Enum):
    """Where an object stands in its life, as far as its handle knows."""

    EMPTY = "has no primary key yet and nothing stored"
    CREATED = "is created by the open session"
    STORED = "is in Redis, as far as known"
    UNTESTED = "was not looked up yet"
    DELETED = "was deleted"
    FORGOTTEN = "was made in a session that was rolled back"

    # As for Kind: a member is one of a kind.
    __hash__ = object.__hash__


class Event(enum.Enum):
    """What happens to an object, as far as its handle learns of it."""

    CREATION = "its creation was said"
    DELETION = "its deletion was said"
    COMMIT = "what was said of it was applied"
    CASCADE = "it was deleted together with what it referred to"
    FOUND = "it was found to be there"
    ROLLBACK = "the part of a session in which it was made was rolled back"

    __hash__ = object.__hash__


#: What an object becomes; a pair that is not here cannot happen.
TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.EMPTY, Event.CREATION): State.CREATED,
    (State.EMPTY, Event.FOUND): State.STORED,
    (State.EMPTY, Event.ROLLBACK): State.FORGOTTEN,
    (State.CREATED, Event.DELETION): State.DELETED,
    (State.CREATED, Event.COMMIT): State.STORED,
    (State.CREATED, Event.CASCADE): State.DELETED,
    (State.CREATED, Event.ROLLBACK): State.FORGOTTEN,
    (State.STORED, Event.DELETION): State.DELETED,
    (State.STORED, Event.COMMIT): State.STORED,
    (State.STORED, Event.CASCADE): State.DELETED,
    (State.STORED, Event.ROLLBACK): State.STORED,
    (State.UNTESTED, Event.DELETION): State.DELETED,
    (State.UNTESTED, Event.CASCADE): State.DELETED,
    (State.UNTESTED, Event.FOUND): State.STORED,
    (State.DELETED, Event.COMMIT): State.DELETED,
    (State.DELETED, Event.CASCADE): State.DELETED,
    (State.DELETED, Event.ROLLBACK): State.DELETED,
}


@attrs.define(eq=False, weakref_slot=False)
class Identity:
    """The object that a command is about: its model and, once it is known, its primary key.

    Each handle (model instance) has one of its own; commands carry it, so that they can be said before the pk is.
    """

    model: ModelSchema
    pk: str | None = None
    state: State = State.EMPTY
    number: int = 0
    _hash: int | None = attrs.field(default=None, init=False)

    def __deepcopy__(self, memo: object) -> Identity:
        return self  # a copy of a command is about the same object

    def become(self, event: Event) -> None:
        """Take the state that follows from *event*."""
        self.state = TRANSITIONS[self.state, event]

    def put_back(self, state: State, pk: str | None, number: int) -> None:
        """Be again what it was when a session took note of it: what was said since is forgotten."""
        self.state, self.pk, self.number = state, pk, number
        if state is State.EMPTY and pk is None:
            # Where it will be is decided anew.
            self.model = self.model.declared

    def stable_hash(self) -> int:
        """Return the hash of the object: of model and pk, or of the handle while there is none; it never changes."""
        if self._hash is None:
            # By the prefix: a handle of the same object, of a class that was declared again, is equal.
            self._hash = hash(id(self)) if self.pk is None else hash((self.model.keys.prefix, self.pk))
        return self._hash

    @property
    def placeholder(self) -> str:
        """What stands for the pk in plans while there is none."""
        return f"<{self.model.name} {self.number}>"

    @property
    def reference(self) -> str:
        """What refers to the object in arguments: its pk, or what stands for it while there is none."""
        if self.pk is not None:
            return self.pk
        # What no session has numbered yet must differ all the same, two in one mapping for example.
        return Placeholder(self.placeholder if self.number else f"<{self.model.name} {id(self):#x}>", self)

    def __str__(self) -> str:
        if self.pk is None:
            return self.placeholder if self.number else f"<new {self.model.name}>"
        return called(self.model, self.pk)


def check_current(of: ModelSchema | Identity) -> None:
    """Check that the class of a model, or of an object, was not declared again since.

    Raises:
        ImplementationError: where it was.
    """
    model = of.model if isinstance(of, Identity) else of
    if model.successor is None:
        return
    identity = of if isinstance(of, Identity) else Identity(of)
    called_so = model.name if of is model else str(identity)
    # A text may be no primary key where they have a type.
    key = "pk" if identity.pk is None or model.pk_holds is not None else repr(identity.pk)
    raise ImplementationError(
        f"{called_so} is of a former class: {model.path} was declared again; nothing was sent. Way out: the class "
        f"that is there now; {model.name}.get({key}) for the same object"
    )


def same_object(identity: Identity) -> object:
    """Return what is equal for two handles of one object: model and pk, or the handle itself while there is no pk."""
    return identity if identity.pk is None else (identity.model, identity.pk)


def called(model: ModelSchema, pk: str) -> str:
    """Return what an object is called in plans and errors: ``Bike <1>``, or ``<Bike 1>`` while it has no pk."""
    return pk if pk.startswith("<") and pk.endswith(">") and pk.isprintable() else f"{model.name} <{printable(pk)}>"
