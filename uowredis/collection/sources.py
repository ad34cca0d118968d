"""What a collection stands on when it is looked at (decide): values of fields, lists, scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.identity import Identity
from uowredis.commands.replies import as_scored, as_texts, plain, plainly
from uowredis.exceptions import ArgumentTypeError, DoesNotExist, PendingWrites
from uowredis.fields import ListField, SetField, SortedSetField
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Deciding, Transact
from uowredis.schema.keys import Keys

#: The one member of a stored collection that is empty; Redis keeps no empty list.
EMPTY = "__uowredis_empty__"


@attrs.define
class Sources:
    """Reads, over what is pending, what one look at a collection stands on.

    Attributes:
        keys: of the model whose objects are looked for.
        apart: these are not all in one place: what is intersected is fetched.
        sets: keys of sets and sorted sets of pks that are intersected; each with whether it is a sorted set.
        within: sets of pks that are intersected.
    """

    overlay: Overlay
    keys: Keys
    apart: bool = False
    sets: list[tuple[str, bool]] = attrs.field(factory=list)
    within: list[frozenset[str]] = attrs.field(factory=list)

    def _read(self, call: Call) -> Deciding[Any]:
        return plainly(call, (yield from self.overlay.ask((call,)))[0])

    def take(self, given: Any) -> Deciding[None]:
        """Take what ``intersect()`` was given."""
        if isinstance(given, frozenset):
            self.within.append(given)
        elif isinstance(given, str):
            yield from self._take_key(given)
        else:
            yield from self._take_field(given)

    def _take_field(self, given: Any) -> Deciding[None]:
        identity: Identity = given._owner.identity
        if identity.pk is None or self.overlay.touches(identity.model):
            self.within.append(frozenset((yield from self._members(given))))
            return
        key: str = given.key
        if isinstance(given, ListField):
            self.within.append(frozenset((yield from self._read(("LRANGE", key, "0", "-1")))))
        else:
            yield from self._take_set(key, isinstance(given, SortedSetField))

    def _take_set(self, key: str, scored: bool) -> Deciding[None]:
        if self.apart or (self.overlay.by_keys and not self.keys.is_beside(key)):
            # No command reads keys of two places.
            call = ("ZRANGE", key, "0", "-1") if scored else ("SMEMBERS", key)
            self.within.append(frozenset((yield from self._read(call))))
        else:
            self.sets.append((key, scored))

    def _members(self, given: Any) -> Deciding[list[str]]:
        """Return what a field holds."""
        bound: Any = given  # it passes for its declared field
        name = "SMEMBERS" if isinstance(given, SetField) else "LRANGE" if isinstance(given, ListField) else "ZRANGE"
        read = bound._read(name, *(() if name == "SMEMBERS" else ("0", "-1")), decode=as_texts)
        members: list[str] = (yield from self.overlay.read_all((read,)))[0]
        return members

    def _take_key(self, key: str) -> Deciding[None]:
        self._refuse_pending(key)
        kind = yield from self._read(("TYPE", key))
        if kind in ("set", "none"):
            yield from self._take_set(key, False)
        elif kind == "zset":
            yield from self._take_set(key, True)
        elif kind == "list":
            self.within.append(frozenset((yield from self._read(("LRANGE", key, "0", "-1")))))
        else:
            raise ArgumentTypeError(f"intersect() takes the key of a set, sorted set or list, and {key!r} is a {kind}")

    def _refuse_pending(self, key: str) -> None:
        if self.overlay.changes(key):
            raise PendingWrites(
                f"A query on {key!r} cannot be exact: the session is changing it. Way out: commit first"
            )

    def stored(self, key: str) -> Deciding[list[str]]:
        """Return the pks of a stored list."""
        self._refuse_pending(key)
        pks: list[str] = yield from self._read(("LRANGE", key, "0", "-1"))
        if not pks:
            raise DoesNotExist(f"The stored collection {key!r} has expired or was never stored. Way out: store() again")
        return [] if pks == [EMPTY] else pks

    def scores(self, given: Any) -> Deciding[dict[str, str]]:
        """Return pk to score, as Redis spells it."""
        if isinstance(given, Mapping):
            return dict(given)
        if not isinstance(given, str):
            identity: Identity = given._owner.identity
            if identity.pk is None or self.overlay.touches(identity.model):
                read = given._read("ZRANGE", "0", "-1", "WITHSCORES", decode=as_scored)
                scored = (yield from self.overlay.read_all((read,)))[0]
                return (yield from self._spelled(identity.model.keys, scored))
            given = given.key
        else:
            self._refuse_pending(given)
        flat = yield from self._read(("ZRANGE", given, "0", "-1", "WITHSCORES"))
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def _spelled(self, keys: Keys, scored: list[tuple[str, float]]) -> Deciding[dict[str, str]]:
        """Return pending scores as this server will spell them: versions differ."""
        if not scored:
            return {}
        key = self.overlay.temporary(keys)
        given = [part for member, score in scored for part in (repr(score), member)]
        calls = (("ZADD", key, *given), ("ZRANGE", key, "0", "-1", "WITHSCORES"), ("DEL", key))
        flat = plain((yield Transact(calls))[1])
        return dict(zip(flat[::2], flat[1::2], strict=True))
