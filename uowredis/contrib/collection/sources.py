"""What a collection stands on when it is looked at (decide): values of fields, lists, scores."""

from __future__ import annotations

from typing import Any

import attrs

from uowredis.collection.manager import CollectionManager
from uowredis.commands.calls import Call
from uowredis.commands.identity import Identity
from uowredis.commands.replies import as_scored, as_texts, plain
from uowredis.exceptions import ArgumentTypeError, DoesNotExist, PendingWrites
from uowredis.fields import ListField, SetField, SortedSetField
from uowredis.overlay.search import temporary_key
from uowredis.schema.keys import Keys
from uowredis.schema.models import FieldSchema, Kind, ModelSchema
from uowredis.session.session import Session, current
from uowredis.session.single import alone

#: Stands for pks that are not known where a query is only shown.
_SHOWN_PKS = frozenset(("<pks>",))

#: The one member of a stored collection that is empty; Redis keeps no empty list.
_EMPTY = "__uowredis_empty__"


def _column_call(model: ModelSchema, field: FieldSchema) -> Call:
    key = model.keys.storage("<pk>", field.storage)
    return ("HGET", key, field.name) if field.kind is Kind.ENTRY else ("GET", key)


@attrs.define
class _Asker:
    """Fetches what a collection stands on when it is looked at: values of fields, lists, scores."""

    collection: CollectionManager
    shown: bool

    @property
    def session(self) -> Session | None:
        return current(self.collection._database)

    def ask(self, calls: tuple[Call, ...]) -> list[Any]:
        session = self.session or alone(self.collection._database)
        return [plain(reply) for reply in session.overlay.ask(calls)]

    def take(self, given: Any, sets: list[tuple[str, bool]], within: list[frozenset[str]]) -> None:
        """Put what ``intersect()`` was given where the query takes it."""
        if isinstance(given, frozenset):
            within.append(given)
        elif isinstance(given, CollectionManager):
            within.append(_SHOWN_PKS if self.shown else frozenset(given.copy().primary_keys()))
        elif isinstance(given, str):
            self._take_key(given, sets, within)
        else:
            self._take_field(given, sets, within)

    def _take_field(self, given: Any, sets: list[tuple[str, bool]], within: list[frozenset[str]]) -> None:
        identity: Identity = given.owner.identity
        touched = self.session is not None and (identity.pk is None or self.session.overlay.touches(identity.model))
        if identity.pk is None or (touched and not self.shown):
            within.append(frozenset(_members(given)))
            return
        key = identity.model.keys.storage(identity.pk, given.field.name)
        if not isinstance(given, ListField):
            sets.append((key, isinstance(given, SortedSetField)))
        else:
            within.append(_SHOWN_PKS if self.shown else frozenset(self.ask((("LRANGE", key, "0", "-1"),))[0]))

    def _take_key(self, key: str, sets: list[tuple[str, bool]], within: list[frozenset[str]]) -> None:
        self._refuse_pending(key)
        kind = "set" if self.shown else self.ask((("TYPE", key),))[0]
        if kind in ("set", "none"):
            sets.append((key, False))
        elif kind == "zset":
            sets.append((key, True))
        elif kind == "list":
            within.append(frozenset(self.ask((("LRANGE", key, "0", "-1"),))[0]))
        else:
            raise ArgumentTypeError(f"intersect() takes the key of a set, sorted set or list, and {key!r} is a {kind}")

    def _refuse_pending(self, key: str) -> None:
        if not self.shown and self.session is not None and self.session.overlay.changes(key):
            raise PendingWrites(
                f"A query on {key!r} cannot be exact: the session is changing it. Way out: commit first"
            )

    def stored(self, key: str) -> list[str]:
        """Return the pks of a stored list."""
        if self.shown:
            return list(_SHOWN_PKS)
        self._refuse_pending(key)
        pks: list[str] = self.ask((("LRANGE", key, "0", "-1"),))[0]
        if not pks:
            raise DoesNotExist(f"The stored collection {key!r} has expired or was never stored. Way out: store() again")
        return [] if pks == [_EMPTY] else pks

    def scores(self, given: Any) -> dict[str, str]:
        """Return pk to score, as Redis spells it."""
        if self.shown:
            return {}
        if not isinstance(given, str):
            identity: Identity = given.owner.identity
            if identity.pk is None or (self.session is not None and self.session.overlay.touches(identity.model)):
                read = given._read("ZRANGE", "0", "-1", "WITHSCORES", decode=as_scored)
                return self._spelled(identity.model.keys, given.owner._answer(read))
            given = identity.model.keys.storage(identity.pk, given.field.name)
        else:
            self._refuse_pending(given)
        flat = self.ask((("ZRANGE", given, "0", "-1", "WITHSCORES"),))[0]
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def _spelled(self, keys: Keys, scored: list[tuple[str, float]]) -> dict[str, str]:
        """Return pending scores as this server will spell them: versions differ."""
        if not scored:
            return {}
        key = temporary_key(keys)
        given = [part for member, score in scored for part in (repr(score), member)]
        calls = (("ZADD", key, *given), ("ZRANGE", key, "0", "-1", "WITHSCORES"), ("DEL", key))
        flat = plain(self.collection._database.executor.transact(calls)[1])
        return dict(zip(flat[::2], flat[1::2], strict=True))


def _members(given: Any) -> Any:
    """Return what a field holds, at once in a pipeline, too."""
    call = (
        ("SMEMBERS",)
        if isinstance(given, SetField)
        else ("LRANGE" if isinstance(given, ListField) else "ZRANGE", "0", "-1")
    )
    bound: Any = given  # it passes for its declared field
    return bound.owner._answer(bound._read(*call, decode=as_texts))
