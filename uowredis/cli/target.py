"""What a command is to work on, as it stands on the command line: ``module:Model`` or ``module:Model.field`` (do)."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from uowredis.exceptions import ArgumentError
from uowredis.model.redis_model import RedisModel


def find(target: str) -> tuple[type[RedisModel], str | None]:
    """Return the model that *target* names, and the name of its field, None where it names none.

    The module is imported as ``python -m`` would: what lies in the current directory comes first.

    Args:
        target: ``module:Model``, ``module:Outer.Model`` or ``module:Model.field``.

    Raises:
        ArgumentError: where there is no such module, model or field; the text says which.
    """
    module, colon, path = target.partition(":")
    if not (module and colon and path):
        raise ArgumentError(f"{target!r} is no model. Way out: module:Model, e.g. shop.models:Bike")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        raise ArgumentError(
            f"{target!r}: module {module!r} cannot be imported: {error}. Way out: start where `import {module}` works"
        ) from error
    for place, name in enumerate(parts := path.split(".")):
        if _is_model(found) and place == len(parts) - 1:
            if name not in found._fields:
                raise ArgumentError(
                    f"{target!r}: {found.__name__} has no field {name!r}; it has {', '.join(found._fields)}"
                )
            return found, name
        try:
            found = getattr(found, name)
        except AttributeError:
            raise ArgumentError(f"{target!r}: there is no {name!r} in {':'.join((module, *parts[:place]))}") from None
    if not _is_model(found):
        raise ArgumentError(f"{target!r} is no model but {found!r}. Way out: name a RedisModel that is not abstract")
    return found, None


def _is_model(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, RedisModel) and found._schema is not None
