"""Who is spoken of: the pending commands, gathered by the object they are about (decide).

Several handles may be of one object, and one object may be deleted and created again in one session. A ``Life`` is
all that is pending for one object, cut into epochs: each begins with what the server holds or with nothing.
"""

from __future__ import annotations

import bisect
import itertools
import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import attrs

from uowredis.commands.commands import (
    Borrowed,
    Command,
    Create,
    Delete,
    Look,
    Read,
    Write,
    WriteCommand,
    borrows,
    references,
    resolved,
)
from uowredis.commands.identity import Identity
from uowredis.schema.keys import INSTANCE_HASH
from uowredis.schema.models import ModelSchema

#: A write with its position among the commands.
Placed: TypeAlias = tuple[int, Write[Any]]

_NO_WRITES: Mapping[str, list[Placed]] = MappingProxyType({})


@attrs.define(eq=False, weakref_slot=False)
class Epoch:
    """The commands between a beginning and a deletion.

    Attributes:
        from_nothing: the keys held nothing at its beginning (else: what the server holds).
        create: the creation that began it.
        index: position of that creation.
        writes: the other writes by storage, each with its position.
    """

    from_nothing: bool
    create: Create | None = None
    index: int = -1
    # Of thousands of new objects nothing else is said.
    writes: Mapping[str, list[Placed]] = _NO_WRITES

    def said(self, storage: str) -> list[Placed]:
        """Return the writes on *storage* with their positions, those of the constructor but its entries first."""
        later = self.writes.get(storage, [])
        if self.create is None:
            return later
        return [(self.index, write) for write in self.create.calls_on(storage)] + later

    def storages(self) -> list[str]:
        """Return the storages with values of the constructor or writes, in the order said."""
        found: dict[str, None] = {}
        if self.create is not None:
            if self.create.entries:
                found[INSTANCE_HASH] = None
            found |= dict.fromkeys(write.storage for write in self.create.calls)
        return list(found | dict.fromkeys(self.writes))


@attrs.define(eq=False, kw_only=True, weakref_slot=False)
class Life(Epoch):
    """All that is pending for one object; as an epoch, the last one: what tells what will be there.

    Attributes:
        identity: of the first handle that spoke of it.
        model: the model of the object.
        fresh: its pk is allocated for it, so that nobody else can know it.
        from_server: the object must be on the server for these commands to make sense.
        alive: whether it is there after the last command.
        deleted: whether it was deleted on the way.
        ended: the epochs before the last one.
    """

    identity: Identity
    model: ModelSchema
    fresh: bool
    from_server: bool
    alive: bool = True
    deleted: bool = False
    ended: tuple[Epoch, ...] = ()
    _stands_for_pk: str = ""

    @property
    def reference(self) -> str:
        """What refers to the object in arguments: its pk, or what stands for it while there is none."""
        pk = self.identity.pk
        if pk is not None:
            return pk
        if not self._stands_for_pk:
            self._stands_for_pk = self.identity.reference
        return self._stands_for_pk

    @property
    def current(self) -> Identity:
        """The identity that speaks for the object now: of its last creation here, or of the first handle."""
        return self.identity if self.create is None else self.create.identity

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """All epochs, from the server's state on."""
        return (*self.ended, self)

    def begin(self, create: Create | None, index: int) -> None:
        """Begin another epoch, from nothing: a deletion, or a creation after one."""
        self.ended += (Epoch(self.from_nothing, self.create, self.index, self.writes),)
        self.from_nothing, self.create, self.index, self.writes = True, create, index, _NO_WRITES

    def __str__(self) -> str:
        return str(self.identity)


@attrs.define(eq=False)
class Journal:
    """The pending commands of a session, in the order said and by object.

    Attributes:
        commands: in the order said; reads too, where they wait as in a pipeline.
        of_command: the object of each; None for a query, and for what only reads an object of which nothing is pending.
        answered: positions of the reads for which nothing is sent.
        asks: whether there are reads or queries among the commands.
        deleted: the objects that were deleted on the way, by model.
        related: the models spoken of whose objects may refer to others.
        resolved: positions of commands whose references have become pks since they were said, in that order.
        borrowing: commands with values of foreign keys that are yet to be read, as they were said, by position.
        whole: False while something is said or put in its place, and for ever where an interruption came then.
    """

    commands: list[Command] = attrs.field(factory=list)
    of_command: list[Life | None] = attrs.field(factory=list)
    answered: set[int] = attrs.field(factory=set)
    asks: bool = False
    deleted: dict[ModelSchema, dict[Life, None]] = attrs.field(factory=dict)
    related: dict[ModelSchema, None] = attrs.field(factory=dict)
    resolved: list[int] = attrs.field(factory=list)
    borrowing: dict[int, Write[Any] | Create | Read[Any]] = attrs.field(factory=dict)
    whole: bool = True
    _waiting: dict[Identity, list[int]] = attrs.field(factory=dict)
    _by_identity: dict[Identity, Life] = attrs.field(factory=dict)
    _by_pk: dict[ModelSchema, dict[str, Life]] = attrs.field(factory=dict)
    _allocated: dict[ModelSchema, dict[str, Life]] = attrs.field(factory=dict)
    _numbered: dict[ModelSchema, dict[int, Life]] = attrs.field(factory=dict)
    #: Lives of new objects that are in ``_numbered``, and that have a pk and are not in ``_allocated`` yet.
    _count_numbered: int = 0
    _unlisted: list[Life] = attrs.field(factory=list)

    def __iter__(self) -> Iterator[Life]:
        yield from self._by_identity.values()
        for lives in self._by_pk.values():
            yield from lives.values()

    def find(self, identity: Identity) -> Life | None:
        """Return what is pending for the object of *identity*."""
        if self._by_identity:
            life = self._by_identity.get(identity)
            return life if life is not None or (pk := identity.pk) is None else self.with_pk(identity.model, pk)
        lives = self._by_pk.get(identity.model) if self._by_pk else None
        # What chooses its primary keys has one from the beginning.
        return None if lives is None or identity.pk is None else lives.get(identity.pk)

    def with_pk(self, model: ModelSchema, pk: str) -> Life | None:
        """Return what is pending for the object of *model* with *pk*."""
        # By far most sessions never ask for a new object by its pk.
        while self._unlisted:
            life = self._unlisted[-1]
            assert life.identity.pk is not None
            self._allocated.setdefault(life.model, {})[life.identity.pk] = life
            self._unlisted.pop()
        for known in (self._by_pk, self._allocated):
            lives = known.get(model)
            if lives is not None and pk in lives:
                return lives[pk]
        return None

    def unallocated(self, model: ModelSchema, placeholder: str) -> Life | None:
        """Return the new object of *model* that is called *placeholder* while it has no pk."""
        if not self._by_identity or not (number := _number(model, placeholder)):
            return None
        found = self._new_by_number(model).get(number)
        return found if found is not None and found.identity.pk is None else None

    def _new_by_number(self, model: ModelSchema) -> Mapping[int, Life]:
        """Return the lives of new objects of *model*, in the order said; each is looked at once."""
        lives = self._by_identity.values()
        for life in reversed([*itertools.islice(reversed(lives), len(lives) - self._count_numbered)]):
            self._numbered.setdefault(life.model, {})[life.identity.number] = life
        self._count_numbered = len(lives)
        return self._numbered.get(model, {})

    def referred(self, model: ModelSchema, pk: str) -> Life | None:
        """Return what is pending for the object of *model* that a command refers to by *pk*, or by its placeholder."""
        life = self.with_pk(model, pk) or self.unallocated(model, pk)
        # Text may look like a placeholder, and is none where nobody refers to that object.
        return life if life is None or life.identity.pk is not None or life.identity in self._waiting else None

    @staticmethod
    def of_nothing(identity: Identity) -> Life:
        """Return the life of an empty object, about which nothing was said."""
        return Life(True, identity=identity, model=identity.model, fresh=True, from_server=False)

    @property
    def waiting(self) -> list[Identity]:
        """The new objects that commands refer to and that have no pk yet."""
        return list(self._waiting)

    @staticmethod
    def untouched(identity: Identity) -> Life:
        """Return the life of an object on the server, about which nothing was said."""
        return Life(False, identity=identity, model=identity.model, fresh=False, from_server=True)

    def placeholders(self) -> list[Life]:
        """Return the new objects that have no pk yet, in the order in which they get one."""
        return [life for life in self._by_identity.values() if life.identity.pk is None]

    def new_of(self, model: ModelSchema) -> list[Identity]:
        """Return the new objects of *model* that have no pk yet and will be there."""
        lives = self._new_by_number(model).values()
        return [life.identity for life in lives if life.identity.pk is None and life.alive]

    def counters(self, among: Iterable[Identity] | None = None) -> tuple[tuple[ModelSchema, int], ...]:
        """Return how many pks of which model Redis must count for all new objects, or for those *among* them."""
        if not self._by_identity:
            return ()
        return tuple(Counter(identity.model for identity in self._without_pk(among)).items())

    def allocate(
        self,
        counters: Iterable[tuple[ModelSchema, int]],
        replies: Iterable[int | None],
        among: Iterable[Identity] | None = None,
    ) -> None:
        """Give new objects their pks; references to them become these pks.

        Args:
            counters: what :meth:`counters` wants counted for the same objects.
            replies: to which number Redis has counted, None where it was not asked: the placeholders stay.
            among: the objects, None for all new ones.
        """
        pks = {
            model: iter(range(last - count + 1, last + 1))
            for (model, count), last in zip(counters, replies, strict=True)
            if last is not None
        }
        new = [identity for identity in self._without_pk(among) if identity.model in pks]
        self.whole = False
        for identity in new:
            identity.pk = identity.model.pk_of(next(pks[identity.model]))
        self._allocated_to(new)
        self.whole = True

    def _without_pk(self, among: Iterable[Identity] | None) -> Iterator[Identity]:
        known = self._by_identity if among is None else dict.fromkeys(among)
        return (identity for identity in known if identity.pk is None)

    def _allocated_to(self, identities: Iterable[Identity]) -> None:
        """Note that the new objects of *identities* have their pks now."""
        positions: set[int] = set()
        for identity in identities:
            self._unlisted.append(self._by_identity[identity])
            if self._waiting:
                positions.update(self._waiting.pop(identity, ()))
        for position in sorted(positions):
            self._resolve(position)

    def _resolve(self, position: int) -> None:
        said = self.commands[position]
        assert not isinstance(said, Look | Delete)
        if position in self.borrowing:
            self.borrowing[position] = resolved(self.borrowing[position])
        self._put(position, resolved(said))

    @property
    def borrowed(self) -> list[Borrowed]:
        """What stands for values of foreign keys that are yet to be read, each once."""
        return list(dict.fromkeys(each for command in self.borrowing.values() for each in borrows(command)))

    def lend(self, values: Mapping[str, str]) -> None:
        """Put the *values* of foreign keys where commands say what stands for them; later ones replace them."""
        self.whole = False
        for position, command in self.borrowing.items():
            self._put(position, resolved(command, values))
        self.whole = True

    def _put(self, position: int, command: Write[Any] | Create | Read[Any]) -> None:
        life = self.of_command[position]
        self.commands[position] = command
        self.resolved.append(position)
        for epoch in () if life is None else life.epochs:
            if isinstance(command, Create):
                epoch.create = command if epoch.index == position else epoch.create
            elif isinstance(command, Write):
                writes = epoch.writes.get(command.storage, [])
                place = bisect.bisect_left(writes, position, key=operator.itemgetter(0))
                if place < len(writes) and writes[place][0] == position:
                    writes[place] = (position, command)

    def add(self, command: WriteCommand, *, is_filled: bool = False) -> None:
        """Take *command* as the last one said.

        Args:
            command: what was said.
            is_filled: it is known to hold nothing but text.
        """
        position = len(self.commands)
        identity = command.identity
        life = self.find(identity) or self._new(command, position)
        self.commands.append(command)
        self.of_command.append(life)
        if identity.model.related:
            self.related[identity.model] = None
            if not is_filled:
                self._waits(command, position)
        if type(command) is Create:
            if life.create is not command:
                life.begin(command, position)
                life.alive = True
        elif type(command) is Delete:
            life.alive = False
            life.deleted = True
            self.deleted.setdefault(life.model, {})[life] = None
            life.begin(None, -1)
        else:
            assert isinstance(command, Write)
            said = life.writes.get(command.storage)
            if said is None:
                life.writes = {**life.writes, command.storage: [(position, command)]}
            else:
                said.append((position, command))

    def add_look(self, look: Look) -> None:
        """Take *look* as the last command said."""
        self.asks = True
        self.commands.append(look)
        self.of_command.append(None)

    def add_read(self, read: Read[Any], life: Life | None, *, answered: bool = False, is_filled: bool = False) -> None:
        """Take *read* as the last command said: it is answered with the others, unless it was already.

        Args:
            read: what was said.
            life: what is pending for the object.
            answered: it need not be asked.
            is_filled: it is known to hold nothing but text.
        """
        self.asks = True
        if answered:
            self.answered.add(len(self.commands))
        self.commands.append(read)
        self.of_command.append(life)
        if not is_filled:
            self._waits(read, len(self.commands) - 1)

    def _waits(self, command: WriteCommand | Read[Any], position: int) -> None:
        """Note what *command* refers to, which has no text yet."""
        for new in references(command):
            self._waiting.setdefault(new, []).append(position)
        if not isinstance(command, Delete) and borrows(command):
            self.borrowing[position] = command

    def first(self, count: int) -> Journal:
        """Return the first *count* commands as if nothing had been said since, but with the pks allocated since."""
        journal = Journal()
        for position in range(count):
            command = self.borrowing.get(position, self.commands[position])
            if isinstance(command, Look):
                journal.add_look(command)
            elif isinstance(command, Read):
                journal.add_read(command, journal.find(command.identity), answered=position in self.answered)
            else:
                journal.add(command)
        journal._allocated_to([identity for identity in journal._by_identity if identity.pk is not None])
        return journal

    def _new(self, command: WriteCommand, position: int) -> Life:
        identity = command.identity
        model = identity.model
        if isinstance(command, Create):
            life = Life(True, command, position, identity=identity, model=model, fresh=model.auto, from_server=False)
        else:
            life = Life(False, identity=identity, model=model, fresh=False, from_server=True)
        if life.fresh:
            self._by_identity[identity] = life
        else:
            assert identity.pk is not None
            self._by_pk.setdefault(model, {})[identity.pk] = life
        return life


def _number(model: ModelSchema, placeholder: str) -> int:
    """Return the number of a new object by what stands for its pk, 0 where nothing does."""
    opening = f"<{model.name} "
    digits = placeholder.removeprefix(opening).removesuffix(">")
    return int(digits) if placeholder == f"{opening}{digits}>" and digits.isdecimal() and digits.isascii() else 0
