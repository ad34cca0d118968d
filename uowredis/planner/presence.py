"""Presence: nothing is written to an object that is not there, nothing is created twice (decide).

Whoever relies on an object's presence, or on its absence, watches its guard key and looks its pk up in the same round;
creations with a chosen pk and deletions set and delete that key in their transaction, which aborts the watchers. The
set of all pks itself is never watched: every creation changes it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.journal import Life
from uowredis.exceptions import UniquenessError, absent
from uowredis.plan.steps import UNKNOWN
from uowredis.planner.questions import Questions
from uowredis.schema.models import ModelSchema

#: Pks looked up in one SMISMEMBER.
_AT_ONCE = 1_000


@attrs.define
class Presence:
    """The guard: objects are there, or not, as the commands need."""

    questions: Questions
    _lookups: list[tuple[Call, list[Life]]] = attrs.field(factory=list)
    _expected: dict[tuple[ModelSchema, str], tuple[Call, int]] = attrs.field(factory=dict)

    def ask(self, lives: Iterable[Life]) -> None:
        """Ask whether the objects of *lives* are there; new ones with an allocated pk cannot be."""
        by_model: dict[ModelSchema, list[Life]] = {}
        for life in lives:
            if not life.fresh:
                by_model.setdefault(life.model, []).append(life)
        for model, relied_on in by_model.items():
            for start in range(0, len(relied_on), _AT_ONCE):
                some = relied_on[start : start + _AT_ONCE]
                why = f"guard: {model.name} is there" if some[0].from_server else f"guard: new {model.name}"
                self._lookups.append((self._ask(model, [known_pk(life) for life in some], why), some))

    def _ask(self, model: ModelSchema, pks: Sequence[str], why: str) -> Call:
        guard, watch = model.keys.guard, self.questions.watch
        for pk in pks:
            watch(guard(pk))
        call = ("SISMEMBER" if len(pks) == 1 else "SMISMEMBER", model.keys.collection, *pks)
        self.questions.read(call, why)
        return call

    def expect(self, model: ModelSchema, pks: Iterable[str]) -> None:
        """Ask whether the objects of *model* with *pks* are there, though nothing is said about them."""
        wanted = [pk for pk in dict.fromkeys(pks) if (model, pk) not in self._expected]
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            call = self._ask(model, some, f"guard: {model.name} is referred to")
            self._expected |= {(model, pk): (call, place) for place, pk in enumerate(some)}

    def found(self, model: ModelSchema, pk: str) -> bool:
        """Return whether an object that was expected is there."""
        call, place = self._expected[model, pk]
        reply = self.questions.reply(call)
        return bool(reply[place] if isinstance(reply, list) else reply)

    def judge(self) -> None:
        """Refuse the plan where an object is missing, or a chosen pk is taken.

        Raises:
            DoesNotExist: for a missing object.
            UniquenessError: for a taken pk.
        """
        for call, lives in self._lookups:
            reply = self.questions.reply(call)
            if reply is UNKNOWN:
                continue
            for life, there in zip(lives, reply if isinstance(reply, list) else [reply], strict=True):
                if life.from_server and not there:
                    raise absent(
                        life.model, f"{life} does not exist (its pk is not in {call[1]!r}); nothing was written"
                    )
                if there and not life.from_server:
                    raise pk_taken(life)

    def touched(self, lives: Iterable[Life], cascaded: Container[Life]) -> Iterator[str]:
        """Yield the guard keys to touch: of chosen pks that are created, and of deletions, *cascaded* ones too."""
        for life in lives:
            if ((life.deleted or life in cascaded) and life.from_server) or (
                not life.from_server and not life.fresh and life.alive
            ):
                yield life.model.keys.guard(known_pk(life))


def known_pk(life: Life) -> str:
    """Return the pk of an object that has one."""
    assert life.identity.pk is not None
    return life.identity.pk


def pk_taken(life: Life) -> UniquenessError:
    """Return the error for a chosen pk that is taken."""
    keys, pk = life.model.keys, known_pk(life)
    return UniquenessError(
        f"Key {keys.collection} already holds the primary key {pk!r} of {life.model.name}; choose another, or get it "
        f"with {life.model.name}({pk!r})",
        field=life.model.pk_field,
        value=pk,
        key=keys.collection,
        pk=pk,
    )
