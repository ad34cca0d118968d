"""Who is spoken of: the pending commands, gathered by the object they are about (decide).

Several handles may be of one object, and one object may be deleted and created again in one session. A ``Life`` is
all that is pending for one object, cut into epochs: each begins with what the server holds or with nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from uowredis.commands import Create, Delete, Identity, Write, WriteCommand
from uowredis.keys import INSTANCE_HASH
from uowredis.schema import ModelSchema

Said = tuple[int, Write[Any]]


@attrs.define(eq=False)
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
    writes: dict[str, list[Said]] = attrs.field(factory=dict)

    def said(self, storage: str) -> list[Said]:
        """Return the writes on *storage* with their positions, those of the constructor but its entries first."""
        later = self.writes.get(storage, [])
        if self.create is None:
            return later
        return [(self.index, write) for write in self.create.calls if write.storage == storage] + later

    def storages(self) -> list[str]:
        """Return the storages with values of the constructor or writes, in the order said."""
        found: dict[str, None] = {}
        if self.create is not None:
            if self.create.entries:
                found[INSTANCE_HASH] = None
            found |= dict.fromkeys(write.storage for write in self.create.calls)
        return list(found | dict.fromkeys(self.writes))


@attrs.define(eq=False)
class Life:
    """All that is pending for one object.

    Attributes:
        identity: of the first handle that spoke of it.
        model: the model of the object.
        fresh: its pk is allocated for it, so that nobody else can know it.
        from_server: the object must be on the server for these commands to make sense.
        epochs: from the server's state on; the last one tells what will be there.
        alive: whether it is there after the last command.
        deletions: positions of its deletions.
    """

    identity: Identity
    model: ModelSchema
    fresh: bool
    from_server: bool
    epochs: list[Epoch]
    alive: bool = True
    deletions: tuple[int, ...] = ()

    @property
    def last(self) -> Epoch:
        """The epoch that tells what will be there."""
        return self.epochs[-1]

    def __str__(self) -> str:
        return str(self.identity)


@attrs.define(eq=False)
class Lives:
    """The pending commands of a session, in the order said and by object.

    Attributes:
        commands: in the order said.
        of_command: the object of each.
    """

    commands: list[WriteCommand] = attrs.field(factory=list)
    of_command: list[Life] = attrs.field(factory=list)
    _by_identity: dict[Identity, Life] = attrs.field(factory=dict)
    _by_pk: dict[tuple[ModelSchema, str], Life] = attrs.field(factory=dict)
    _allocated: dict[tuple[ModelSchema, str], Life] = attrs.field(factory=dict)

    def __iter__(self) -> Iterator[Life]:
        yield from self._by_identity.values()
        yield from self._by_pk.values()

    def __len__(self) -> int:
        return len(self._by_identity) + len(self._by_pk)

    def find(self, identity: Identity) -> Life | None:
        """Return what is pending for the object of *identity*."""
        life = self._by_identity.get(identity)
        return self.with_pk(identity.model, identity.pk) if life is None and identity.pk is not None else life

    def with_pk(self, model: ModelSchema, pk: str) -> Life | None:
        """Return what is pending for the object of *model* with *pk*."""
        return self._by_pk.get((model, pk)) or self._allocated.get((model, pk))

    @staticmethod
    def of_nothing(identity: Identity) -> Life:
        """Return the life of an empty object, about which nothing was said."""
        return Life(identity, identity.model, True, False, [Epoch(True)])

    def allocated(self, identity: Identity) -> None:
        """Note that the new object of *identity* has its pk now."""
        assert identity.pk is not None
        self._allocated[identity.model, identity.pk] = self._by_identity[identity]

    def add(self, command: WriteCommand) -> None:
        """Take *command* as the last one said."""
        position = len(self.commands)
        self.commands.append(command)
        identity = command.identity
        life = self.find(identity)
        if type(command) is Create:
            epoch = Epoch(True, command, position)
            if life is None:
                fresh = identity.model.auto
                life = Life(identity, identity.model, fresh, False, [epoch])
                if fresh:
                    self._by_identity[identity] = life
                else:
                    assert identity.pk is not None
                    self._by_pk[identity.model, identity.pk] = life
            else:
                life.epochs.append(epoch)
                life.alive = True
            self.of_command.append(life)
            return
        if life is None:
            assert identity.pk is not None
            life = Life(identity, identity.model, False, True, [Epoch(False)])
            self._by_pk[identity.model, identity.pk] = life
        self.of_command.append(life)
        if type(command) is Delete:
            life.alive = False
            life.deletions += (position,)
            life.epochs.append(Epoch(True))
        else:
            assert isinstance(command, Write)
            life.last.writes.setdefault(command.storage, []).append((position, command))
