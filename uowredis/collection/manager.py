"""``CollectionManager``: lazy queries on a model (say, and ask when asked).

A collection is data until it is looked at: iterated, counted, sliced, compared, printed. Each look asks Redis anew.
Its methods refine it in place and return it; ``copy()`` branches, a slice is a list.
"""

from __future__ import annotations

import functools
import secrets
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

import attrs

from uowredis.collection import elsewhere
from uowredis.collection.explanation import Explanation
from uowredis.collection.following import Following, order_of_following, place_of, told
from uowredis.collection.items import Items
from uowredis.collection.loaded import Loaded
from uowredis.collection.many import ChangesMany
from uowredis.collection.misnamed import OF_A_COLLECTION
from uowredis.collection.one_reply import in_one_reply
from uowredis.collection.page import Page
from uowredis.collection.refined import R, T
from uowredis.collection.scattered import seeker_of
from uowredis.collection.seeker import Seeker
from uowredis.collection.slices import FURTHEST, span
from uowredis.collection.wanted import Algebra
from uowredis.commands.arguments import integer, text
from uowredis.commands.calls import Call
from uowredis.commands.commands import Look
from uowredis.commands.identity import Identity, State
from uowredis.commands.query import Order
from uowredis.commands.values import pk_value
from uowredis.commands.where import All, Either, Without
from uowredis.exceptions import ArgumentError, ArgumentTypeError, NotCommitted, attribute
from uowredis.overlay.overlay import Overlay
from uowredis.plan.requests import Deciding
from uowredis.schema.keys import placed, slot_of
from uowredis.schema.models import ModelSchema
from uowredis.schema.shards import is_tag
from uowredis.session import context
from uowredis.session.pending import Pending
from uowredis.session.single import here

F = TypeVar("F")

#: How many items ``repr()`` shows.
_SHOWN_ITEMS = 20

#: Seconds that a stored collection is kept, by default.
DEFAULT_STORE_TTL = 60


class CollectionManager(ChangesMany[T, R], Generic[T, R]):
    """A lazy query on one model *T*, which gives an *R* for each object found: at first its primary key.

    Args:
        model: the model; users call ``Model.collection()``.
        schema: its facts.
    """

    __hash__ = None  # type: ignore[assignment]  # it equals lists, and changes

    def __init__(self, model: Any, schema: ModelSchema) -> None:
        super().__init__(model, schema)
        self._walking: tuple[weakref.ref[Items[Any]], int, int] | None = None
        self._pending: Pending[Any] | None = None

    def copy(self) -> Self:
        """Return a collection of its own that says the same."""
        branch = super().copy()
        branch._pending = None
        return branch

    # Put together.

    def __or__(self, other: CollectionManager[T, Any]) -> Self:
        """Return a collection of what one of both finds (SUNION); it is ordered, and gives, as the first does."""
        return self._with(other, Either, "|")

    def __and__(self, other: CollectionManager[T, Any]) -> Self:
        """Same as :meth:`__or__` but of what both find (SINTER)."""
        return self._with(other, All, "&")

    def __sub__(self, other: CollectionManager[T, Any]) -> Self:
        """Same as :meth:`__or__` but of what this one finds, and not the *other* (SDIFF)."""
        return self._with(other, Without, "-")

    def _with(self, other: Any, how: type[Either | All | Without], word: str) -> Self:
        """Return a new collection of both as they are refined by now.

        Raises:
            ArgumentTypeError: where *other* is no collection of the same model.
        """
        if not isinstance(other, CollectionManager) or other._schema is not self._schema:
            found = f"one of {other._schema.name}" if isinstance(other, CollectionManager) else repr(other)
            raise ArgumentTypeError(
                f"{word} takes a collection of {self._schema.name}, not {found}. Way out: "
                f"{self._schema.name}.collection(...), or intersect([...]) for primary keys"
            )
        both = Algebra(how, self._wanted.as_part, other._wanted.as_part)
        told = {"algebra": both, "sort": self._wanted.sort, "shape": self._wanted.shape}
        combined = type(self)(self._model, self._schema)._told(**told)
        combined._be_noted()
        return combined

    # Storing.

    def store(self, key: str | None = None, ttl: int | None = DEFAULT_STORE_TTL) -> Self:
        """Store the primary keys found as a list (RPUSH, EXPIRE); return a new collection on it.

        Args:
            key: where; a random key under the model's prefix by default. What is there is replaced.
            ttl: seconds to keep it; None: for ever.

        Returns:
            A collection of the same class that gives what this one gives (values, instances ...).

        Raises:
            ArgumentError: for a key that may be one of a model's objects.
            PendingWrites: in a session that has touched the model: a stored result cannot be exact.
        """
        spelled = self._key_to_store(key)
        seconds = None if ttl is None else integer(ttl, "ttl", 1)
        shape = self._wanted.shape
        self.copy().primary_keys()._look(lambda seeker: seeker.stored(spelled, seconds))
        return type(self)(self._model, self._schema)._told(stored=spelled, shape=shape)

    def _key_to_store(self, key: str | None) -> str:
        spelled = self._own_key() if key is None else text(key, "the key of store()")
        found = (model._schema.of_key(spelled) for model in self._database.models)
        owners = [model for model in found if model is not None]
        if key is not None and owners and not any(owner.keys.is_stored(spelled) for owner in owners):
            raise ArgumentError(
                f"store() cannot write {spelled!r}: keys of {owners[0].name} begin so. Way out: another key"
            )
        return spelled

    def from_stored(self, key: str) -> Self:
        """Return a new collection on the list that :meth:`store` left under *key*; filters said before it hold too.

        Looking at it raises ``DoesNotExist`` where the list has expired.
        """
        branch = self.copy()._told(stored=text(key, "the key of from_stored()"))
        if self._pending is not None:
            # In a pipeline the one reply is that of the new collection.
            with here(self._database, self._schema) as session:
                session._relook(self._pending, branch)
            branch._pending, self._pending = self._pending, None
        return branch

    def _own_key(self) -> str:
        """Return a new key of the model for a list."""
        random = secrets.token_hex(8)
        facets = self._schema.facets
        model = self._schema if facets is None else self._schema.facet(int(random, 16) % facets.count)
        return model.keys.stored(random)

    @property
    def stored_key(self) -> str | None:
        """The key of the list that the collection is on, None where it is on none."""
        return self._wanted.stored

    # Asking.

    def _look(self, question: Callable[[Seeker], Deciding[F]]) -> F:
        """Return what *question* finds now."""
        self._check_waits()
        wanted, others = self._wanted, self._elsewhere()
        with here(self._database, self._schema) as session:
            return session._find(lambda overlay: question(seeker_of(wanted, overlay, others)))

    def _elsewhere(self) -> dict[int, Any]:
        if self._wanted.is_known:
            return {}
        return elsewhere.asked(self._wanted, self._database)

    def _fetch(self, start: int = 0, count: int | None = None, order: Order | None = None) -> list[R]:
        return self._given(*self._look(lambda seeker: seeker.found(start, count, order)))

    def _given(self, found: Sequence[Any], created: Sequence[Identity | None] = ()) -> list[Any]:
        """Return pks, or rows of values, as they are wanted; *created* are those that the session itself makes."""
        shape, schema = self._wanted.shape, self._schema
        if shape.of_values:
            return shape.shaped(schema, list(found))
        if shape.kind == "pks":
            return list(found) if schema.pk_holds is None else [pk_value(schema, pk) for pk in found]
        if shape.wide:
            rows = zip(found[0], created, *shape.typed(schema, found), strict=True)
            handle, names = self._model._handle, shape.names
            return [handle(pk, each, tested=shape.tested, loaded=Loaded(names, row)) for pk, each, *row in rows]
        made = {pk: each for pk, each in zip(found, created, strict=False) if each is not None}
        return self._model._handles(found, made, tested=shape.tested)  # type: ignore[no-any-return]

    def iter(self, chunk: int = 1000) -> Iterator[R]:
        """Yield what the collection gives without holding all of it (SSCAN).

        With at most one filter, no sort and primary keys wanted the pks are scanned *chunk* at a time: one round trip
        each, memory for one chunk. What is there from begin to end is yielded, perhaps more than once; what comes or
        goes under way may be missed. Sorted and combined queries, values and instances, and models that an open
        session has touched, are fetched whole first, as :meth:`__iter__` does.

        Args:
            chunk: about how many pks a round trip brings.
        """
        return self._scan(integer(chunk, "chunk", 1))

    def _scan(self, chunk: str) -> Iterator[R]:
        keys = self._look(lambda seeker: seeker.scanned())
        if keys is None:
            yield from self
            return
        for key in keys:
            cursor = ""
            while cursor != "0":
                call = ("SSCAN", key, cursor or "0", "COUNT", chunk)
                cursor, pks = self._look(functools.partial(Seeker.piece, call=call))
                yield from self._given(pks)

    def __iter__(self) -> Iterator[R]:
        items = self._fetch()
        walk = Items(items)
        # list(collection) asks for the length next: that of these items is meant, if nothing else happens before.
        self._walking = weakref.ref(walk), len(items), self._database._entered
        return walk

    def __len__(self) -> int:
        if self._walking is not None:
            walk, counted, entered = self._walking
            self._walking = None
            items = walk()
            if items is not None and items.is_whole and entered == self._database._entered:
                return counted
        return self._look(lambda seeker: seeker.count())

    def count(self) -> int:
        """Return how many match; same as ``len()`` (SCARD where it is one set)."""
        self._walking = None
        return len(self)

    def __bool__(self) -> bool:
        return len(self) > 0

    def exists(self) -> bool:
        """Return whether anything matches, by so many replies, however many there are (SCARD, ZCOUNT, or a few)."""
        self._check_waits()
        if self._wanted.shape.looked_up or self._wanted.as_it_was_stored:
            return len(self) > 0
        return self._look(lambda seeker: seeker.has_some())

    def first(self) -> R | None:
        """Return the first item, None for none; without a sort that of the lowest primary key (SORT ... LIMIT)."""
        found = self._fetch(0, 1, Order())
        return found[0] if found else None

    def after(self, place: tuple[Any, Any] | None, count: int) -> Following[R]:
        """Return the *count* items that follow a *place* in the order of one field (ZRANGEBYSCORE, ZRANGEBYLEX).

        It takes ``sort(by=...)`` of a field with an index of ranges, and goes along that: however far the place lies,
        it costs the same. Of those that come next other filters are asked (SMISMEMBER, ZMSCORE); where few match, or a
        filter cannot be asked of some, all that match are fetched, and ordered here. What has no value of the field
        is left out, what is equal comes by primary key.

        Args:
            place: a value of the field, and the primary key of the object that has it, which need not be there any
                more; ``last`` of what was given before. None: from the first one on.
            count: how many at most.

        Returns:
            A list, with the place of its last item as ``last``.

        Raises:
            ImplementationError: without such a sort, or such an index.
            ArgumentTypeError: for a place that is none.
            ArgumentError: for a count below 1.
        """
        most = int(integer(count, "count of after()", 1))
        field, index = order_of_following(self._wanted)
        begin = place_of(self._wanted, field, index, place)
        found, created, last = self._look(lambda seeker: seeker.following(most, index, begin))
        return Following(self._given(found, created), told(self._wanted, field, index, last))

    def page(self, start: int, count: int) -> Page[R]:
        """Return *count* items from *start* on, as a slice does, and how many match in all (SORT ... LIMIT, SCARD).

        That is counted in the round trip of the slice.

        Args:
            start: the first one wanted, from 0.
            count: how many at most.

        Returns:
            A list with one attribute more, ``total``.

        Raises:
            ArgumentError: for a start below 0, or a count below 1.
        """
        first = int(integer(start, "start of page()", 0, FURTHEST))
        most = int(integer(count, "count of page()", 1, FURTHEST))
        *found, total = self._look(lambda seeker: seeker.page(first, most))
        return Page(self._given(*found), total)

    def __contains__(self, item: Any) -> bool:
        self._check_waits()
        identity, kind = getattr(item, "identity", None), self._wanted.shape.kind
        if kind != "pks" and not (kind == "instances" and isinstance(identity, Identity)):
            return item in self._fetch()
        if isinstance(identity, Identity) and (
            identity.model.declared is not self._schema or identity.state is State.EMPTY
        ):
            return False
        return self._look(lambda seeker: seeker.contains(item))

    @overload
    def __getitem__(self, index: int) -> R: ...
    @overload
    def __getitem__(self, index: slice) -> list[R]: ...
    def __getitem__(self, index: int | slice) -> Any:
        """Return one item or a list, as a Python list would; without a sort the order is that of the primary keys."""
        if isinstance(index, slice):
            part = span(index)
            if part is None:
                return self._fetch(order=Order())[index]
            return [] if part[1] == 0 else self._fetch(*part, Order())[:: index.step]
        if not isinstance(index, int) or isinstance(index, bool):
            raise ArgumentTypeError(f"a collection takes integers and slices, not {type(index).__name__}")
        if index < 0:
            return self._fetch(order=Order())[index]
        found = self._fetch(index, 1, Order()) if index < FURTHEST else []
        if not found:
            raise IndexError(f"collection index {index} out of range")
        return found[0]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CollectionManager):
            return list(self) == list(other)
        if isinstance(other, list):
            return list(self) == other
        if isinstance(other, set | frozenset):
            return set(self) == other
        return NotImplemented

    if not TYPE_CHECKING:  # else every attribute would be there

        def __getattr__(self, name: str) -> Any:
            return attribute(self, "A collection", name, OF_A_COLLECTION)

    def __repr__(self) -> str:
        if self._pending is not None and self._pending.waits:
            return f"<a collection of {self._schema.name} that waits for the pipeline>"
        items = self._fetch()
        shown = ", ".join(map(repr, items[:_SHOWN_ITEMS]))
        return f"[{shown}{f', ... ({len(items)} items)' if len(items) > _SHOWN_ITEMS else ''}]"

    def explain(self) -> Explanation:
        """Return the Redis commands that looking at the collection sends, for eyes; sends nothing.

        The very question is asked of nobody: what only the server knows is made up, ``<pk>`` stands for each primary
        key. Temporary keys are shown as ``<random>``.
        """
        wanted, others = self._wanted, elsewhere.shown(self._wanted, self._database)
        with here(self._database, self._schema) as session:
            rounds = session._explain(lambda overlay: seeker_of(wanted, overlay, others).found())
        places = self._places(call for round_ in rounds for call in round_)
        return Explanation(tuple(rounds), self._note(places), max(1, len(places)))

    def _places(self, calls: Iterable[Call]) -> list[str]:
        """Return the places of the model, where it has some, of which something is asked."""
        keys = self._schema.keys
        if self._schema.facets is None:
            return [] if keys.place is None else [keys.place]
        found = {place: None for call in calls for part in call[1:] if (place := keys.in_another(part)) is not None}
        return [place for place in found if is_tag(place)]

    def _note(self, places: Sequence[str]) -> str:
        node_of = self._database._executor.node_of
        notes = [self._cost()]
        if len(places) == 1:
            notes.insert(0, placed(places[0], node_of))
        elif places:
            nodes = {node_of(slot_of(place)) for place in places}
            notes.insert(
                0,
                f"{len(places):,} places on {len(nodes):,} node{'' if len(nodes) == 1 else 's'}, one write each; all "
                f"that match move, of a slice [a:b] up to {len(places):,} * b",
            )
        return "; ".join(note for note in notes if note)

    def _cost(self) -> str:
        sort = self._wanted.sort
        by_values = self._wanted.shape.of_values or (sort is not None and sort.by is not None)
        if by_values and self._database._is_cluster:
            return "values are read key by key, of all that match, and ordered here: O(N)"
        if sort is not None and sort.scores is not None:
            return "all that match are fetched and ordered here: O(N)"
        if sort is not None and sort.further:
            return "SORT takes one field: all that match are fetched with those sorted by, and ordered here: O(N)"
        by_server = self._schema.auto or (sort is not None and (sort.by is not None or sort.alpha))
        return "" if by_server else "primary keys are text: a slice fetches all that match and orders here: O(N)"

    # For models, pipelines and other collections.

    def _as_stored(self) -> list[str]:
        """Return the primary keys found as they are stored (for collections on other databases)."""
        pks, _ = self.copy().primary_keys()._look(lambda seeker: seeker.found())
        return pks

    def _the_one(self) -> tuple[list[tuple[str, Identity | None]], str]:
        """Return the primary key of the one that matches, and else how many do, in words, "" for none (for models).

        It comes with the object where the open session makes it.
        """
        return self._look(lambda seeker: seeker.the_one())

    def _has_some(self) -> bool:
        """Return whether something matches, by so many replies, however many there are (for models)."""
        return self._look(lambda seeker: seeker.has_some())

    def _is_there(self) -> Callable[[Overlay], Deciding[bool]]:
        """Return the question whether something matches (for models): it is asked while a creation is planned."""
        wanted, others = self._wanted, self._elsewhere()
        return lambda overlay: seeker_of(wanted, overlay, others).is_there()

    def _be_noted(self) -> None:
        """Be one reply of a pipeline that is open here, and not looked at before (for models)."""
        database = self._database
        if self._schema in database._fingerprints.known and context.find(database) is None:
            return  # as most are: nobody takes note
        with self._model._session() as session:
            self._pending = session._look(self, self._schema)

    def _prepared(self, look: Look) -> Look:
        """Return what the pipeline asks for the collection as it is now (for pipelines).

        What no single reply answers is looked at when the pipeline was executed.
        """
        found = in_one_reply(self._wanted, look.temporary, by_keys=self._database._is_cluster)
        if found is None:
            return attrs.evolve(look, model=self._schema, calls=(), decode=lambda _: self._looked_at())
        model, sorting, read = found
        return attrs.evolve(
            look, model=model, calls=sorting.calls, answer=sorting.answer, decode=lambda reply: self._given(read(reply))
        )

    def _looked_at(self) -> list[Any]:
        self._pending = None
        return self._fetch()

    def _check_waits(self) -> None:
        if self._pending is not None and self._pending.waits:
            raise NotCommitted(
                f"This collection of {self._schema.name} is a reply of the open pipeline. Way out: execute() first"
            )
