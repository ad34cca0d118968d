"""The data as it will be right after the commit: what the server holds, with what is pending over it (decide).

What has to be asked is yielded as a request (``uowredis.plan.requests``); nothing here waits.
"""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from uowredis.commands.arguments import Placeholder
from uowredis.commands.calls import Call
from uowredis.commands.commands import Borrowed, Read, borrows, references, resolved
from uowredis.commands.identity import Identity, State
from uowredis.commands.journal import Journal, Life
from uowredis.commands.paths import OtherSide
from uowredis.commands.query import SHOWN, Column, Query
from uowredis.commands.replies import plain, plainly
from uowredis.commands.where import Condition, Filter, Given, Members, changed, filters, leaves
from uowredis.exceptions import DoesNotExist, PendingWrites, SessionError, UowError, absent
from uowredis.overlay.deletions import Gone, reach
from uowredis.overlay.order import Row
from uowredis.overlay.queries import Touched
from uowredis.overlay.reads import Answer, Known, Rehearsed, Replays, answer_over
from uowredis.plan.requests import Deciding, Send, relay
from uowredis.plan.steps import Fetch, counting
from uowredis.planner import Limits, Planner
from uowredis.planner.counter import Numbering
from uowredis.planner.planner import refers_to_nothing
from uowredis.planner.rehearsal import Rehearsal
from uowredis.schema.keys import Keys
from uowredis.schema.lookup import Among
from uowredis.schema.models import ModelSchema

#: Names temporary keys. Who seeds the module ``random`` does not mean these, and asking the system each time is slow.
_temporary = random.Random()

#: Primary keys that one call looks up: none holds up the server for long.
_AT_ONCE = 1_000


def unwatched(calls: Sequence[Call]) -> Deciding[list[Any]]:
    """Read *calls* without watching what they read; return their raw replies."""
    replies: list[Any] = yield Send(calls)
    return replies


class Overlay:
    """What a session sees; with nothing pending it is what the server holds.

    Args:
        rehearsal: where pending commands are tried.
        dry_run: allocate no primary keys.
        by_keys: values are read key by key, as on a cluster.
        speak: is told of each facet of a sharded model that is spoken of.

    Attributes:
        journal: what is pending.
        watches: what is read must stay as it is until the commit.
        is_recorded: what is asked is only shown.
    """

    def __init__(
        self,
        rehearsal: Rehearsal,
        *,
        dry_run: bool = False,
        by_keys: bool = False,
        speak: Callable[[ModelSchema], None] = lambda _: None,
    ) -> None:
        self.journal = Journal()
        self.rehearsal = rehearsal
        self.watches = False
        self.by_keys = by_keys
        self.is_recorded = False
        self._read: Callable[[Sequence[Call]], Deciding[list[Any]]] = unwatched
        self._touched_so_far: Touched | None = None
        self._replays: Replays = {}
        self._dry_run = dry_run
        self._speak = speak

    def speaking_of(self, facet: ModelSchema) -> ModelSchema:
        """Return *facet*, of a sharded model or any other, which is asked about from now on."""
        if facet.shard is not None:
            self._speak(facet)
        return facet

    def read_by(self, read: Callable[[Sequence[Call]], Deciding[list[Any]]]) -> None:
        """Read what the caller decides on by *read*, which watches it until the commit."""
        self._read, self.watches = read, True

    def watching(self, read: Callable[[Sequence[Call]], Deciding[list[Any]]]) -> Overlay:
        """Return the same for one question whose answer must hold until the commit: it is read by *read*."""
        watching = copy.copy(self)
        watching.read_by(read)
        return watching

    def recorded(self) -> Overlay:
        """Return the same for a recorder: nothing is allocated or watched by what is only shown."""
        shown = copy.copy(self)
        shown._read, shown._dry_run, shown.is_recorded = unwatched, True, True
        return shown

    def temporary(self, keys: Keys) -> str:
        """Return a new temporary key; it is gone with the transaction that uses it."""
        return keys.temporary(SHOWN) if self.is_recorded else temporary_key(keys)

    def forget(self, kept: int = 0) -> None:
        """Forget what is pending but for the first *kept* commands."""
        journal = self.journal.first(kept) if kept else Journal()
        self.look_anew()
        # Last: until then what is pending is not whole.
        self.journal = journal

    def look_anew(self) -> None:
        """Keep nothing of what was found out from what is pending."""
        self._touched_so_far = None
        self._replays = {}

    def _touched(self) -> Touched:
        if self._touched_so_far is None:
            self._touched_so_far = Touched()
        return self._touched_so_far.of(self.journal)

    def check_alive(self, identity: Identity) -> Life | None:
        """Check that the object was not deleted and not forgotten; return what is pending for it.

        Raises:
            DoesNotExist: where it was.
        """
        state = identity.state
        if state is State.DELETED or state is State.FORGOTTEN:
            raise gone(identity)
        life = self.journal.find(identity)
        if life is not None and not life.alive:
            raise absent(identity.model, f"{identity} was deleted in this session; nothing was sent")
        return life

    def check_new(self, identity: Identity) -> None:
        """Check that a new object can be referred to here.

        Raises:
            DoesNotExist: where it was deleted, or made in a session that was rolled back.
            SessionError: where another session creates it.
        """
        self.check_alive(identity)
        if identity.state is not State.EMPTY and self.journal.find(identity) is None:
            raise elsewhere(identity)

    def allocate(self, identities: Sequence[Identity]) -> Deciding[list[str]]:
        """Give new objects their pks now, in one round trip, and return the pks of all; a dry run gives none.

        Raises:
            Rejected: where the counter is behind what is there.
            SessionError: where another session creates one of them.
        """
        new = [identity for identity in identities if identity.pk is None]
        for identity in new:
            if self.journal.find(identity) is None:
                raise elsewhere(identity)
        if not new or self._dry_run:
            return [identity.reference for identity in identities]
        counters = self.journal.counters(new)
        numbering = Numbering(counters, (yield Send(counting(counters))))
        if lookups := numbering.lookups():
            numbering.check(lookups, (yield Send(lookups)))
        self.journal.allocate(counters, numbering.reached, new)
        return [identity.reference for identity in identities]

    def read_all(self, reads: Sequence[Read[Any]]) -> Deciding[list[Any]]:
        """Answer several *reads* as they will be answered right after the commit, in one round trip.

        Raises:
            DoesNotExist: where an object was deleted, or made in a session that was rolled back.
            PendingWrites: where that cannot be known exactly.
        """
        return (yield from self.read_beside(reads))[0]

    def read_beside(
        self, reads: Sequence[Read[Any]], calls: Sequence[Call] = ()
    ) -> Deciding[tuple[list[Any], list[Any]]]:
        """Same as :meth:`read_all`, with the raw replies to other *calls*, which are asked in the same round trip."""
        known = []
        for read in reads:
            known.append((yield from self._known(read)))
        reads, gone = known, (yield from self._gone())
        answers = [self._answer(read, gone) for read in reads]
        new = [
            identity for answer in answers if isinstance(answer, Known | Rehearsed) for identity in answer.refers_to()
        ]
        if new and not self._dry_run:
            yield from self.allocate(list(dict.fromkeys(new)))
            answers = [self._answer(read, gone) for read in reads]
        asked = [answer.calls if isinstance(answer, Known | Rehearsed) else answer for answer in answers]
        replies = iter((yield from self.ask([*(call for each in asked for call in each), *calls])))
        found = [
            answer.settle(self.rehearsal, [plain(next(replies)) for _ in answer.calls])
            if isinstance(answer, Known | Rehearsed)
            else read.decode(next(replies) if answer else [])
            for read, answer in zip(reads, answers, strict=True)
        ]
        placed = [_with_placeholders(answer, new) for answer in found] if new and self._dry_run else found
        return placed, list(replies)

    def _known(self, read: Read[Any]) -> Deciding[Read[Any]]:
        """Return *read* with the pks of the new objects that it refers to, and the foreign keys that it was given."""
        referred, given = references(read), borrows(read)
        if not referred and not given:
            return read
        for identity in referred:
            self.check_new(identity)
        yield from self.allocate(
            [identity for identity in dict.fromkeys(referred) if identity.state is not State.EMPTY]
        )
        values = (yield from self.read_all([each.read for each in given])) if given else []
        if None in values:
            raise refers_to_nothing(given[values.index(None)])
        return resolved(read, dict(zip(given, values, strict=True)))

    def _gone(self) -> Deciding[Gone]:
        """Return what will no longer be there right after the commit.

        Raises:
            PendingWrites: where the commit would be refused as things stand.
        """
        yield from self._borrow()
        if not any(reach(self.journal).values()):
            return Gone(self.journal)
        planner = Planner(self.journal, self.rehearsal, Limits(None))
        try:
            yield from relay(planner.turns(), self._found)
        except UowError as error:
            raise PendingWrites(
                f"What is deleted with others cannot be known before the commit: {error}. Way out: commit first"
            ) from error
        return Gone(self.journal, planner.cascaded)

    def _borrow(self) -> Deciding[None]:
        """Read the foreign keys that were given as values, as they are now.

        Raises:
            PendingWrites: where one refers to nothing, and the commit would be refused.
        """
        borrowed = self.journal.borrowed if self.journal.borrowing else []
        if not borrowed:
            return
        replies = yield from self._plainly([read_call(each.read) for each in borrowed])
        for each, reply in zip(borrowed, replies, strict=True):
            if reply is None:
                raise PendingWrites(f"{refers_to_nothing(each)}") from None
        self.journal.lend(dict(zip(borrowed, replies, strict=True)))

    def borrowed(self, borrowed: Borrowed) -> str | None:
        """Return the foreign key that *borrowed* stands for where pending changes tell it, None where nothing is said.

        Raises:
            ArgumentError: where it refers to nothing.
            DoesNotExist: where its object was deleted, or made in a session that was rolled back.
            PendingWrites: where what is pending does not tell it.
        """
        read = borrowed.read
        self.check_alive(read.identity)
        life = self.journal.find(read.identity)
        if life is None and read.identity.pk is None:
            raise refers_to_nothing(borrowed)
        answer = answer_over(read, life, {}, self._replays, len(self.journal.resolved))
        if answer is None:
            return None
        if not isinstance(answer, Known):
            raise PendingWrites(
                f"{borrowed} cannot be given as a value before the commit: what is pending on it does not tell it. Way "
                f"out: commit first, or read it and give what was read"
            )
        (value,) = answer.values
        if value is None:
            raise refers_to_nothing(borrowed)
        return value

    def _found(self, fetch: Fetch) -> Deciding[list[Any]]:
        """Answer a planner that only tells what would be there: nothing is counted up for it."""
        replies = yield from self.ask([question.call for question in fetch.questions])
        return [*(None for _ in fetch.counters), *replies]

    def _answer(self, read: Read[Any], ended: Gone) -> Answer | tuple[Call, ...]:
        """Return how to answer *read* over what is pending, or the call that answers it as it is."""
        if read.identity.state in (State.DELETED, State.FORGOTTEN):
            raise gone(read.identity)
        if read.members == ():
            return ()
        life = self.journal.find(read.identity)
        if (life is None and read.identity.pk is None) or ended.holds(read.identity.model, read.identity.pk, life):
            life = Journal.of_nothing(read.identity)
        answer = answer_over(read, life, ended.cleared(read), self._replays, len(self.journal.resolved))
        return (read_call(read),) if answer is None else answer

    def ask(self, calls: Sequence[Call]) -> Deciding[list[Any]]:
        """Read what the caller decides on, in one round trip; return the raw replies."""
        return (yield from self._read(calls)) if calls else []

    def holds(self, model: ModelSchema, pk: str) -> Deciding[bool]:
        """Return whether the object is there (SISMEMBER); same as :meth:`holding` otherwise."""
        return bool((yield from self.holding(model, (pk,))))

    def holding(self, model: ModelSchema, pks: Iterable[str]) -> Deciding[frozenset[str]]:
        """Return those of *pks* that are there (SMISMEMBER), as it will be right after the commit.

        New objects of the model get their pks for the answer, where one of *pks* is not there else.
        """
        gone = yield from self._gone()
        there: set[str] = set()
        asked: list[str] = []
        missing: list[str] = []
        distinct = dict.fromkeys(pks)
        if not self.journal.commands:
            asked, distinct = list(distinct), {}
        for pk in distinct:
            life = self.journal.with_pk(model, pk)
            if gone.holds(model, pk, life):
                missing.append(pk)
            elif life is None or life.from_server:
                asked.append(pk)
            else:
                (there.add if life.alive else missing.append)(pk)
        replies = yield from self.ask(_lookups(model, asked))
        found: list[Any] = []
        for reply in replies:
            found += reply if isinstance(reply, list) else (reply,)
        there.update(itertools.compress(asked, found))
        if len(found) != len(asked) or not there.issuperset(asked):
            missing += [pk for pk, is_there in zip(asked, found, strict=True) if not is_there]
        new = self.journal.new_of(model) if missing else []
        if new and (late := set((yield from self.allocate(new))).intersection(missing)):
            pending = yield from self.are_pending(model, sorted(late))
            there |= {pk for pk, alive in pending.items() if alive}
        return frozenset(there)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is pending: it is what the server holds."""
        return not self.journal.commands

    def touched_pks(self, model: ModelSchema, names: frozenset[str]) -> list[str]:
        """Return the objects on the server that are touched on one of the fields *names*, or as a whole."""
        return [] if self.is_empty else self._touched().pks(model, names)

    def apart(self, model: ModelSchema, names: frozenset[str]) -> Deciding[Callable[[str], bool]]:
        """Return what tells of an object that the server finds by the fields *names* whether that says nothing of it.

        That is where it will no longer be there, or the session touched it.
        """
        if not self.touches(model):
            return lambda pk: False
        gone, touched = (yield from self._gone()), frozenset(self.touched_pks(model, names))
        return lambda pk: pk in touched or gone.holds(model, pk)

    def touches(self, model: ModelSchema) -> bool:
        """Return whether something pending changes objects of *model*, or may."""
        if not self.journal.commands:  # asked of each question several times
            return False
        if model.facets is not None:
            touched = [*self._touched().models, *reach(self.journal)]
            return any(each.whole is model for each in touched)
        return self._touched().any_of(model) or model in reach(self.journal)

    def changes(self, key: str) -> bool:
        """Return whether a pending write may change *key*."""
        if any(self._touched().may_change(life, key) for life in self.journal):
            return True
        return any(model.keys.owns(key) for model in reach(self.journal))

    def as_cleared(self, model: ModelSchema, where: Condition) -> Deciding[Condition]:
        """Return what finds on the server whom *where* will find, when the references to what is deleted are cleared.

        Raises:
            PendingWrites: where the commit would be refused as things stand.
        """
        related = any(leaf.field.relates for leaf in filters(where))
        if not related or not self.journal.deleted:
            return where
        gone = yield from self._gone()
        return changed(where, lambda leaf: gone.as_cleared(model, leaf))

    def merge(
        self, model: ModelSchema, where: Condition, names: frozenset[str], found: Sequence[str]
    ) -> Deciding[tuple[list[str], list[Identity]]]:
        """Return which of the pks *found* by the server hold as they are, and the touched objects that match *where*.

        Raises:
            PendingWrites: where that cannot be known exactly.
        """
        if any(leaf.field.relates for leaf in filters(where)):
            # One of those that are not known yet might turn out to be the one that is asked for.
            yield from self.allocate(self.journal.waiting)
        gone = yield from self._gone()
        found = [pk for pk in found if not gone.holds(model, pk)]
        touched = self._touched()
        kept, judged = touched.judged(self.journal, model, where, names, found)
        if any(isinstance(leaf, Given | Members) for leaf in leaves(where)):
            # Which of them are meant is known by their pks only.
            yield from self.allocate([life.current for life in judged])
        lives = yield from relay(touched.matching(self.rehearsal, where, judged), self._found)
        return kept, [life.current for life in lives if not gone.holds(model, life.identity.pk, life)]

    def referring(
        self, found: Mapping[OtherSide, Mapping[str, Sequence[str]]]
    ) -> Deciding[dict[OtherSide, dict[str, list[str]]]]:
        """Return who will refer to objects, where the server *found* who does: pks by pk; new objects get theirs.

        It is one round trip where the session touched who may refer; all sides and objects are judged together.

        Raises:
            PendingWrites: where that cannot be known exactly.
        """
        yield from self.allocate(self.journal.waiting)
        gone = yield from self._gone()
        touched = self._touched()
        kept: dict[OtherSide, frozenset[str]] = {}
        judged: dict[OtherSide, list[Life]] = {}
        for side, by_pk in found.items():
            where = Filter(side.field, Among(tuple([side.key(pk) for pk in by_pk])))
            there = [pk for pk in dict.fromkeys(itertools.chain(*by_pk.values())) if not gone.holds(side.model, pk)]
            as_they_are, lives = touched.judged(self.journal, side.model, where, frozenset((side.field.name,)), there)
            kept[side] = frozenset(as_they_are)
            judged[side] = [life for life in lives if not gone.holds(side.model, life.identity.pk, life)]
        refer = yield from relay(touched.referring(self.rehearsal, found, judged), self._found)
        referring = itertools.chain.from_iterable(lives for by_pk in refer.values() for lives in by_pk.values())
        yield from self.allocate([life.current for life in dict.fromkeys(referring)])
        return {
            side: {
                pk: [*(each for each in pks if each in kept[side]), *(life.reference for life in refer[side][pk])]
                for pk, pks in by_pk.items()
            }
            for side, by_pk in found.items()
        }

    def _plainly(self, calls: Sequence[Call]) -> Deciding[list[Any]]:
        return [plainly(call, reply) for call, reply in zip(calls, (yield from self.ask(calls)), strict=True)]

    def clear(
        self, rows: Sequence[Row], ordering: Sequence[Column | None], columns: Sequence[Column]
    ) -> Deciding[list[Row]]:
        """Return *rows* that the server found, without references to what is deleted.

        Args:
            rows: with the values of *columns*.
            ordering: the values they are ordered by.
            columns: the other values.
        """
        if not self.journal.deleted:
            return list(rows)
        gone = yield from self._gone()

        def kept(column: Column | None, value: str | None) -> str | None:
            cleared = column is not None and column.field is not None and gone.clears(column.field, value)
            return None if cleared else value

        by, *further = ordering
        return [
            Row(row.pk, kept(by, row.by), tuple(map(kept, columns, row.values)), tuple(map(kept, further, row.further)))
            for row in rows
        ]

    def find(self, model: ModelSchema, where: Condition) -> Deciding[list[Identity | str]]:
        """Return the objects that match *where*, as they will be right after the commit.

        Returns:
            Pks, and the identities of those that the session touched.
        """
        where = yield from self.as_cleared(model, where)
        query = Query(model, where)
        asked = query.members(lambda: self.temporary(model.keys))
        found = asked.read((yield from self._plainly(asked.calls)))
        kept, identities = yield from self.merge(model, where, query.names, found)
        return [*kept, *identities]

    def created(self, model: ModelSchema, pk: str) -> Identity | None:
        """Return the identity of the object with *pk* where it is pending itself; its handles share its fate."""
        life = None if self.is_empty else self._pending(model, pk)
        return None if life is None or not life.alive or life.create is None else life.current

    def created_among(self, model: ModelSchema, pks: Iterable[str]) -> dict[str | None, Identity]:
        """Return those of *pks* that :meth:`created` knows, with the object."""
        if not self.journal.commands:
            return {}
        made = ((pk, self.created(model, pk)) for pk in pks)
        return {pk: identity for pk, identity in made if identity is not None}

    def _pending(self, model: ModelSchema, pk: str) -> Life | None:
        known = self.journal.with_pk(model, pk)
        return self.journal.unallocated(model, pk) if known is None and isinstance(pk, Placeholder) else known

    def are_pending(self, model: ModelSchema, pks: Sequence[str]) -> Deciding[dict[str, bool | None]]:
        """Return whether the objects with *pks* will be there by what is pending alone, None where nothing is said."""
        if self.is_empty:
            return dict.fromkeys(pks)
        gone = yield from self._gone()
        found: dict[str, bool | None] = {}
        for pk in pks:
            life = self._pending(model, pk)
            found[pk] = False if gone.holds(model, pk, life) else None if life is None else life.alive
        return found


def _lookups(model: ModelSchema, pks: Sequence[str]) -> list[Call]:
    """Return the calls that tell which of *pks* are there."""
    key = model.keys.collection
    if len(pks) == 1:
        return [("SISMEMBER", key, *pks)]
    return [("SMISMEMBER", key, *pks[at : at + _AT_ONCE]) for at in range(0, len(pks), _AT_ONCE)]


def temporary_key(keys: Keys) -> str:
    """Return a new temporary key; it is gone with the transaction that uses it."""
    return keys.temporary(f"{_temporary.getrandbits(64):016x}")


def _with_placeholders(answer: Any, new: Sequence[Identity]) -> Any:
    """Return *answer* with the very placeholders of *new* objects, which fields that refer to objects take."""
    known = {identity.placeholder: identity.reference for identity in new}

    def placed(item: Any) -> Any:
        if isinstance(item, str):
            return known.get(item, item)
        if isinstance(item, dict):
            return {placed(key): placed(value) for key, value in item.items()}
        return type(item)(map(placed, item)) if isinstance(item, list | tuple | set) else item

    return placed(answer)


def read_call(read: Read[Any]) -> Call:
    """Return the call of *read*; its object has a pk."""
    assert read.identity.pk is not None
    return (read.name, read.identity.model.keys.storage(read.identity.pk, read.storage), *read.args)


def elsewhere(identity: Identity) -> SessionError:
    """Return the error for a new object of another session."""
    return SessionError(
        f"{identity} is created by a session that is open elsewhere. Way out: use it there, with s.use() from here; or "
        f"after the commit of that session"
    )


def gone(identity: Identity) -> DoesNotExist:
    """Return the error for an object that is no longer, or never was."""
    return absent(
        identity.model,
        f"{identity} {identity.state.value}; nothing was sent. Way out: create a new {identity.model.name}",
    )
