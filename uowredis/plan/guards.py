"""Which keys stand for a reply, and what they are of, in words (decide, pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from uowredis.commands.calls import Call
from uowredis.schema.models import ModelSchema


@attrs.frozen
class Guards:
    """What the keys of the models of one database mean.

    Attributes:
        models: gives the models that live there by now.
    """

    models: Callable[[], Iterable[ModelSchema]]

    def behind(self, call: Call) -> str:
        """Return what the keys of *call* are of, in words: ``Bike <1>.name``, ``index Bike.name``; or the keys."""
        return ", ".join(self.names_behind(call))

    def names_behind(self, call: Call) -> tuple[str, ...]:
        """Same as :meth:`behind`, one by one."""
        found: list[str] = []
        for key in self.watched_for(call):
            model = self._model_of(key)
            found += [key] if model is None else model.behind(key, call[2:])
        return tuple(dict.fromkeys(found))

    def public(self, call: Call) -> str | None:
        """Return how much of the keys of *call* holds no value, None: all of it."""
        for key in self.watched_for(call):
            model = self._model_of(key)
            public = None if model is None else model.public(key)
            if public is not None:
                return public
        return None

    def _model_of(self, key: str) -> ModelSchema | None:
        models = [found for model in self.models() if (found := model.of_key(key)) is not None]
        return max(models, key=lambda model: len(model.keys.prefix), default=None)

    def watched_for(self, call: Call) -> tuple[str, ...]:
        """Return the keys to watch so that nothing changes what the reading *call* answers."""
        # Presence: the set of all pks changes with every creation, the guard keys only with these objects.
        if (model := self._presence(call)) is not None:
            return tuple(model.keys.guard(pk) for pk in call[2:])
        if call[0] in ("SINTER", "SUNION", "SDIFF"):
            return call[1:]
        if call[0] in ("ZINTER", "ZUNION", "ZDIFF"):
            return call[2 : 2 + int(call[1])]
        return call[1:2]

    def watched_for_absence(self, call: Call, reply: Any) -> str | None:
        """Return the key to watch, too, where *reply* says that an object is missing whose pk Redis will count."""
        model = self._presence(call)
        if model is None or not model.auto or 0 not in (reply if isinstance(reply, list) else [reply]):
            return None
        return model.keys.collection

    def _presence(self, call: Call) -> ModelSchema | None:
        if call[0] not in ("SISMEMBER", "SMISMEMBER"):
            return None
        found = (model.of_key(call[1]) for model in self.models())
        return next((model for model in found if model is not None and model.keys.collection == call[1]), None)
