"""Whom a query finds, in no order: on the server, with what the session touched merged in (decide)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Self

import attrs

from uowredis.commands.calls import Call
from uowredis.commands.identity import Identity
from uowredis.commands.query import Query
from uowredis.commands.replies import plain, plainly
from uowredis.commands.where import Filter, changed, spans_of
from uowredis.exceptions import Rejected
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Deciding, Scripts, Transact

#: Primary keys that are fetched, where one or two are wanted, rather than write a temporary key.
_SMALL = 1_000

#: What a span is found to hold where a question is only shown.
_SHOWN: Mapping[str, Sequence[str]] = {"<pk>": ("<pk>",)}


@attrs.frozen
class Few:
    """Some of what matches.

    Attributes:
        kept: primary keys of objects as the server holds them.
        touched: objects that the session touched.
        counted: how many match in all, which may be more than are given.
        and_more: or more than that.
    """

    kept: Sequence[str]
    touched: Sequence[Identity]
    counted: int
    and_more: bool = False


@attrs.frozen
class Matching:
    """What a query finds now, over what is pending; each question is a generator of requests.

    Attributes:
        overlay: what is pending, and how it is read.
        query: what is to be found.
    """

    overlay: Overlay
    query: Query

    @property
    def over_pending(self) -> bool:
        """Whether the session touched objects of the model."""
        return self.overlay.touches(self.query.model)

    def _temporary(self) -> str:
        return self.overlay.temporary(self.query.model.keys)

    def ask(self, calls: Sequence[Call]) -> Deciding[list[Any]]:
        """Read in one round trip; return the plain replies."""
        return list(map(plainly, calls, (yield from self.overlay.ask(calls))))

    def matching(self) -> Deciding[tuple[list[str], list[Identity]]]:
        """Return what matches, in no order: pks that the server finds, and objects that the session touched."""
        if self.query.within == frozenset():
            return [], []
        return (yield from (yield from self.settled())._matching())

    def _matching(self) -> Deciding[tuple[list[str], list[Identity]]]:
        found = yield from self._found()
        if not self.over_pending:
            return found, []
        return (yield from self.overlay.merge(self.query.model, self.query.where, self.query.names, found))

    def settled(self, *, stores: bool = False) -> Deciding[Self]:
        """Return the same for what is on the server: some of it must be known before the rest can be asked.

        Args:
            stores: whether what is found is stored there, also where one read would tell it.

        References that will be cleared are looked for as what they become. A span is read first over pending writes,
        because of what it holds of an object some may go; under watch, because what is stored on the way tells nobody
        what to watch; and where a script would have to make primary keys of it, and the server runs none.
        """
        where, over_pending = self.query.where, self.over_pending
        if isinstance(where, Filter) and not (stores or over_pending or self.overlay.watches):
            return self  # as by far most are
        if over_pending:
            where = yield from self.overlay.as_cleared(self.query.model, where)
        spans = spans_of(where)
        if spans and not over_pending and not self.overlay.watches:
            in_pairs = [(leaf, span) for leaf, span in spans if span.separator]
            needed = in_pairs and (stores or not isinstance(where, Filter))
            spans = in_pairs if needed and not (yield Scripts()) else []
        if not spans and where is self.query.where:
            return self
        replies = iter((yield from self.ask([call for _, span in spans for call in span.reads])))
        read = {}
        for leaf, span in spans:
            found = span.found([next(replies) for _ in span.reads])
            read[leaf] = attrs.evolve(leaf, read=_SHOWN if self.overlay.is_recorded else found)
        where = changed(where, lambda leaf: read.get(leaf, leaf) if isinstance(leaf, Filter) else leaf)
        return attrs.evolve(self, query=attrs.evolve(self.query, where=where))

    def _found(self) -> Deciding[list[str]]:
        """Return the pks that the server finds, in no order."""
        query = self.query
        # What is stored under a temporary key would not tell what to watch.
        watched = self.overlay.watches and query.sets is None and query.within is None
        asked = query.by_leaf() if watched else query.members(self._temporary)
        if not asked.whole:
            replies = yield from self.ask(asked.calls)
        else:
            replies = list(map(plainly, asked.calls, (yield Transact(asked.calls))))
        # What is made up for eyes need not lie between bounds.
        return list(_SHOWN) if self.overlay.is_recorded else asked.read(replies)

    def members(self) -> Deciding[list[str]]:
        """Return the pks that match, in no order."""
        kept, identities = yield from self.matching()
        return kept + (yield from self.overlay.allocate(identities)) if identities else kept

    def few(self) -> Deciding[Few]:
        """Return one that matches, or more, and how many do: not more replies than so many, however many there are.

        Of one set two are drawn. Where several are combined the smallest decides: what it bounds is intersected
        (SINTER), what is larger is counted first (SINTERCARD, or a temporary key where the server has none). Under
        watch, and over pending writes, everything is fetched: what changes it, or is changed by the session, may be
        any of them.
        """
        query = self.query
        sets = query.sets
        if sets is None or any(scored for _, scored in sets) or self.over_pending or self.overlay.watches:
            kept, touched = yield from self.matching()
            return Few(kept, touched, len(kept) + len(touched))
        keys = tuple([key for key, _ in sets])
        if len(keys) == 1:
            (key,) = keys
            counted, drawn = yield from self.ask((("SCARD", key), ("SRANDMEMBER", key, "2")))
            # Others may come between the two calls: those that are there decide.
            return Few(drawn, [], max(counted, 2) if len(drawn) > 1 else len(drawn))
        smallest = min((yield from self.ask([("SCARD", key) for key in keys])))
        if not smallest:
            return Few([], [], 0)
        if smallest > _SMALL:
            for way in (self._counted, self._drawn):
                # Redis 6.2 has no SINTERCARD; no temporary key is written by a replica, or where memory is full.
                with contextlib.suppress(Rejected):
                    found = yield from way(keys)
                    if found is not None:
                        return found
                    break
        pks = yield from self._found()
        return Few(pks, [], len(pks))

    def _counted(self, keys: tuple[str, ...]) -> Deciding[Few | None]:
        """Return how many match where they are many, None where they are few."""
        (counted,) = yield from self.ask((("SINTERCARD", str(len(keys)), *keys, "LIMIT", str(_SMALL + 1)),))
        return Few([], [], counted, and_more=True) if counted > _SMALL else None

    def _drawn(self, keys: tuple[str, ...]) -> Deciding[Few | None]:
        key = self._temporary()
        calls = (("SINTERSTORE", key, *keys), ("SRANDMEMBER", key, "2"), ("UNLINK", key))
        counted, drawn, _ = plain((yield Transact(calls)))
        return Few(drawn, [], counted)

    def count(self) -> Deciding[int]:
        """Return how many match (SCARD where it is one set, ZCOUNT where it is one range of numbers)."""
        call = None if self.over_pending else self.query.counting
        if call is not None:
            counted: int = (yield from self.ask((call,)))[0]
            return counted
        kept, identities = yield from self.matching()
        return len(kept) + len(identities)
