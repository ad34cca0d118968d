"""Relations: no reference outlives what it refers to; where it is checked, none is made to what is not there (decide).

Who refers to a deleted object stands in the indexes of the fields that may: these index keys are watched and read in
the first round. Judged on the net result: a reference that the same plan moves elsewhere is no reference. Each round
goes one step further along the graph, for all objects at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.changes import Added, Replaced
from uowredis.commands.identity import Identity, State
from uowredis.commands.journal import Journal, Life
from uowredis.exceptions import DoesNotExist, RestrictedError, absent
from uowredis.plan.steps import UNKNOWN, Step
from uowredis.planner.key import Delta
from uowredis.planner.presence import Presence
from uowredis.planner.questions import Questions
from uowredis.planner.values import Values, whole_field
from uowredis.schema.index import IndexEntry
from uowredis.schema.models import FieldSchema, Kind, ModelSchema, OnDelete, Relation

Deltas = dict[tuple[Life, str], Delta]

_IS_MEMBER = {Kind.SET: "SISMEMBER", Kind.SORTED_SET: "ZSCORE", Kind.LIST: "LPOS"}


@attrs.frozen(eq=False)
class Reference:
    """That *life* refers by *field* to *dead*, which *entry* of the index says.

    Attributes:
        stored: the index on the server says so; else only what is pending does.
        certain: what is pending says what the field will hold.
        proof: the call that tells whether the field holds what its index says, None where that does not matter: taking
            a member away that is not there changes nothing; a single value, or a refusal, must be certain.
    """

    life: Life
    field: FieldSchema
    dead: Life
    entry: IndexEntry
    stored: bool
    certain: bool
    on_delete: OnDelete = attrs.field(init=False)
    proof: Call | None = attrs.field(init=False)

    @on_delete.default
    def _on_delete(self) -> OnDelete:
        assert self.field.relation is not None
        return self.field.relation.on_delete

    @proof.default
    def _proof(self) -> Call | None:
        if self.certain or not self.stored:
            return None
        whole = whole_field(self.life, self.field).call
        if _single(self.field) or self.on_delete is OnDelete.CASCADE:
            return whole
        return (
            (_IS_MEMBER[self.field.kind], whole[1], self.dead.reference)
            if self.on_delete is OnDelete.RESTRICT
            else None
        )

    def __str__(self) -> str:
        return f"{self.life}.{self.field.name}"


@attrs.define
class Relations:
    """The rule and the guard.

    Attributes:
        cascaded: what is deleted only because it refers to something deleted, with the reference that is the reason.
        cleared: the references that are taken away.
    """

    questions: Questions
    values: Values
    presence: Presence
    journal: Journal
    cascaded: dict[Life, Reference] = attrs.field(factory=dict)
    cleared: dict[tuple[Life, FieldSchema], list[Life]] = attrs.field(factory=dict)
    _dead: dict[Life, None] = attrs.field(factory=dict)
    _restricting: list[Reference] = attrs.field(factory=list)
    _known: dict[tuple[ModelSchema, str], Life] = attrs.field(factory=dict)
    _gains: dict[str, list[Delta]] = attrs.field(factory=dict)
    _checked: Sequence[Life] = ()

    # Round one.

    def ask(self) -> None:
        """Ask who refers to what is deleted, and whether what is referred to is there, as far as the commands tell."""
        for lives in self.journal.deleted.values():
            for life in lives:
                if not life.alive:
                    self._dead[life] = None
                    self._ask_referrers(life)
        if self.journal.related:
            checked = {model for model in self.journal.related if any(map(_checks, model.related))}
            self._checked = [life for life in self.journal if life.model in checked and life.alive]
        for life in self._checked:
            for field in life.model.related:
                if _checks(field):
                    self._expect(field, _given(life, field))

    @property
    def idle(self) -> bool:
        """Whether nothing is deleted and nothing is checked, so that nothing can follow."""
        return not self._dead and not self._checked

    def _ask_referrers(self, dead: Life) -> None:
        if dead.fresh:
            return
        for model, field in dead.model.referrers:
            call = _members(model, field, dead)
            self.questions.watch(call[1])
            why = f"before: who refers to {dead} by {model.name}.{field.name}"
            self.questions.read(call, why, model.keys.index_opening(field.stored))

    def _expect(self, field: FieldSchema, pks: Iterable[str]) -> None:
        to = _to(field)
        if to is not None:
            self.presence.expect(to, [pk for pk in pks if self.journal.referred(to, pk) is None])

    # Further rounds.

    def turns(self, deltas: Deltas) -> Generator[None, None, None]:
        """Follow the references, one step a turn; *deltas* become what they are with all that follows.

        Raises:
            RestrictedError: where a reference keeps its object from being deleted.
            DoesNotExist: where a checked reference is to an object that is not there.
        """
        for delta in list(deltas.values()):
            if delta.field.relation is not None:
                for key, _, _ in delta.after:
                    self._gains.setdefault(key, []).append(delta)
                if _checks(delta.field):
                    self._expect(delta.field, _pks(delta))
        wave = list(self._dead)
        while wave:
            found = [reference for dead in wave for reference in self._references(dead, deltas)]
            for reference in found:
                self._look_at(reference)
            yield
            if stale := {reference for reference in found if not self._proven(reference)}:
                for reference in found:
                    if reference in stale:
                        self._look_again(reference)
                yield
                stale = {reference for reference in stale if not self._proven(reference)}
            wave = [life for each in found for life in self._follow(each, deltas, is_stale=each in stale)]
        yield
        kept = [reference for reference in self._restricting if reference.life not in self._dead]
        if kept:
            raise _restricted(kept)
        for delta in deltas.values():
            self._check(delta)
        for (life, field), dead in self.cleared.items():
            if field.owners and life not in self._dead:
                self.values.cleared(life, field, {each.reference for each in dead}, deltas)

    def _references(self, dead: Life, deltas: Deltas) -> Iterator[Reference]:
        for model, field in dead.model.referrers:
            call = _members(model, field, dead)
            stored = [] if dead.fresh else self.questions.reply(call)
            known = () if stored is UNKNOWN else stored
            found = dict.fromkeys(self._stored_life(model, pk) for pk in known)
            for life in found | dict.fromkeys(delta.life for delta in self._gains.get(call[1], ())):
                delta, entry = deltas.get((life, field.name)), _entry(life, field, dead)
                before, after = ((), ()) if delta is None else (delta.before, delta.after)
                whole = not life.from_server or (delta is not None and _single(field))
                if whole and entry not in after and entry not in before:
                    # What is pending says all that the field holds: the entry was stale.
                    deltas[life, field.name] = Delta(life, field, {*before, entry}, after)
                elif entry in after or entry not in before:
                    # Else what is pending names only some members of a field that holds many.
                    yield Reference(life, field, dead, entry, life in found, whole or entry in after)

    def _stored_life(self, model: ModelSchema, pk: str) -> Life:
        known = self.journal.with_pk(model, pk) or self._known.get((model, pk))
        if known is None:
            known = self._known[model, pk] = Journal.untouched(Identity(model, pk, State.STORED))
        return known

    def _look_at(self, reference: Reference) -> None:
        """Ask what must be known to follow *reference*."""
        life = reference.life
        if life in self._dead:
            return
        if reference.on_delete is OnDelete.CASCADE:
            if life.from_server:
                self.values.ask_ending(life)
            self._ask_referrers(life)
            return
        if reference.on_delete is OnDelete.CLEAR and reference.field.owners:
            self.values.ask_cleared(life, reference.field)
        if reference.proof is not None:
            # The index key is watched: whoever moves the reference leaves it.
            self.questions.read(reference.proof, f"before: {life.model.name}.{reference.field.name}", guards=False)

    def _look_again(self, reference: Reference) -> None:
        """Ask again under watch what contradicts its index: it may come true without the index key being touched."""
        if reference.proof is not None and reference.on_delete is not OnDelete.CASCADE:
            self.questions.watch(reference.proof[1])
            self.questions.read_again(reference.proof, f"before: {reference.life.model.name}.{reference.field.name}")

    def _follow(self, reference: Reference, deltas: Deltas, *, is_stale: bool) -> Iterator[Life]:
        """Note what follows from *reference*, or from its index; yield its object where that is deleted, too."""
        life, field, entry = reference.life, reference.field, reference.entry
        if life in self._dead:
            return
        delta = deltas.get((life, field.name))
        before, after = (set(), set()) if delta is None else (set(delta.before), set(delta.after) - {entry})
        if reference.stored:
            before.add(entry)
        left = Delta(life, field, before, after)
        if is_stale:
            deltas[life, field.name] = left
        elif reference.on_delete is OnDelete.RESTRICT:
            self._restricting.append(reference)
        elif reference.on_delete is OnDelete.CLEAR:
            if field.none and not after:
                left = left._replace(after=field.entries(life.model.keys, (), life.reference))
            deltas[life, field.name] = left
            self.cleared.setdefault((life, field), []).append(reference.dead)
        else:
            self._dead[life] = None
            self.cascaded[life] = reference
            endings = list(self.values.ending(life)) if life.from_server else []
            # Nothing comes and nothing goes, unless it was stored: what it would have claimed, too.
            for indexed in life.model.indexed:
                deltas[life, indexed.name] = Delta(life, indexed, set(), set())
            deltas |= {(life, ending.field.name): ending for ending in endings}
            yield life

    def _proven(self, reference: Reference) -> bool:
        """Return whether the field says what its index says; where it does not, the entry was stale."""
        if reference.proof is None or reference.life in self._dead:
            return True
        reply = self.questions.reply(reference.proof)
        if reply is UNKNOWN or reference.proof[0] in _IS_MEMBER.values():
            return bool(reply) if reference.field.kind is Kind.SET else reply is not None
        if _single(reference.field):
            return bool(reply == reference.dead.reference)
        return reference.dead.reference in [value for _, value in self.values.held(reference.life, reference.field)]

    def _check(self, delta: Delta) -> None:
        """Refuse a checked reference to what is not there."""
        to = _to(delta.field)
        if not _checks(delta.field):
            return
        for pk in _pks(delta):
            if to is None:
                raise DoesNotExist(_missing(delta, pk))
            life = self.journal.referred(to, pk)
            if life is None and not self.presence.found(to, pk):
                raise absent(to, _missing(delta, pk))

    # What follows.

    def steps(self) -> Iterator[Step]:
        """Yield the effects on the fields and keys of those that referred."""
        calls: dict[Call, str] = {}
        entries: dict[tuple[str, str], list[str]] = {}
        for (life, field), dead in self.cleared.items():
            if life in self._dead:
                continue
            key, gone = life.model.keys.storage(life.reference, field.storage), sorted(each.reference for each in dead)
            why = f"{life.model.name}.{field.name} loses deleted {', '.join(map(str, dead))}"
            if field.kind is Kind.ENTRY:
                entries.setdefault((key, why), []).append(field.stored)
            elif field.kind is Kind.STRING:
                calls["DEL", key] = why
            elif field.kind is Kind.LIST:
                calls |= {("LREM", key, "0", pk): why for pk in gone}
            else:
                calls["SREM" if field.kind is Kind.SET else "ZREM", key, *gone] = why
        calls |= {("HDEL", key, *names): why for (key, why), names in entries.items()}
        for life, reference in self.cascaded.items():
            storages = [life.model.keys.storage(life.reference, storage) for storage, _ in life.model.storages]
            if storages:
                why = f"{life.model.name}.{reference.field.name} referred to deleted {reference.dead}"
                calls["DEL", *storages] = why
        for call in sorted(calls, key=lambda call: (call[1], call)):
            yield Step(call, calls[call])

    @property
    def added(self) -> Collection[Life]:
        """The objects nothing was said about and that refer, or seem to, to what is deleted."""
        return self._known.values()

    def title(self) -> list[str]:
        """Return what follows, in words."""
        cascades = Counter(life.model.name for life in self.cascaded)
        clears: Counter[str] = Counter()
        for (life, field), dead in self.cleared.items():
            if life not in self._dead:
                clears[f"{life.model.name}.{field.name}"] += len(dead)
        return [f"{count:,} {model} deleted by cascade" for model, count in cascades.items()] + [
            f"{count:,} reference{'' if count == 1 else 's'} cleared in {field}" for field, count in clears.items()
        ]


def _checks(field: FieldSchema) -> bool:
    return field.relation is not None and field.relation.check


def _to(field: FieldSchema) -> ModelSchema | None:
    return None if field.relation is None else field.relation.to


def _single(field: FieldSchema) -> bool:
    return field.kind in (Kind.STRING, Kind.ENTRY)


def _members(model: ModelSchema, field: FieldSchema, dead: Life) -> Call:
    return ("SMEMBERS", model.keys.index(field.stored, dead.reference))


def _entry(life: Life, field: FieldSchema, dead: Life) -> IndexEntry:
    return life.model.keys.index(field.stored, dead.reference), life.reference, None


def _pks(delta: Delta) -> list[str]:
    """Return the pks that *delta* refers to anew."""
    keys, name = delta.life.model.keys, delta.field.stored
    entered = {key for key, _, _ in set(delta.after) - set(delta.before)}
    return sorted(keys.indexed_value(name, key) for key in entered if not keys.is_none(name, key))


def _given(life: Life, field: FieldSchema) -> Iterator[str]:
    """Yield the pks that the commands on *field* give, as far as their arguments tell."""
    if life.create is not None and field.kind is Kind.ENTRY:
        yield from (value for name, value in life.create.pairs if name == field.stored)
    for _, write in life.said(field.storage):
        if isinstance(write.change, Added):
            yield from write.change.values
        elif isinstance(write.change, Replaced):
            yield from (value for name, value in write.change.values if name == field.stored or not _is_entry(field))


def _is_entry(field: FieldSchema) -> bool:
    return field.kind is Kind.ENTRY


def _restricted(kept: Sequence[Reference]) -> RestrictedError:
    shown = ", ".join(map(str, kept[:10])) + (f" and {len(kept) - 10:,} more" if len(kept) > 10 else "")
    dead = ", ".join(dict.fromkeys(str(reference.dead) for reference in kept))
    return RestrictedError(
        f"{dead} cannot be deleted: {shown} refer to it (on_delete=RESTRICT); nothing was written. Way out: delete "
        f"them, or have them refer to another, in the same session",
        referrers=[(reference.life.model.name, reference.life.reference, reference.field.name) for reference in kept],
    )


def _missing(delta: Delta, pk: str) -> str:
    relation = delta.field.relation
    assert isinstance(relation, Relation)
    where = "which is not declared on this database" if relation.to is None else "which does not exist"
    return (
        f"{delta.life}.{delta.field.name} would refer to {relation.wanted} <{pk}>, {where} (check=True); nothing was "
        f"written. Way out: create it first, or in the same session"
    )
