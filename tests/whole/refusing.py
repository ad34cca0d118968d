"""What the tests of bad input share: a model with every kind of field, and the check that nothing was written."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.tools.backends import Backend
from uowredis import (
    HashField,
    InstanceHashField,
    ListField,
    RedisModel,
    Session,
    SetField,
    SortedSetField,
    StringField,
)

#: The fields of the model by name; each is there with an index too, as ``indexed_...``.
KINDS = {
    "string": StringField,
    "instancehash": InstanceHashField,
    "headers": HashField,
    "set": SetField,
    "list": ListField,
    "sortedset": SortedSetField,
}


def bike_model(server: Backend) -> type[RedisModel]:
    """Return a model with a field of every kind, each also with an index."""
    fields = {name: kind() for name, kind in KINDS.items()}
    fields |= {f"indexed_{name}": kind(indexable=True) for name, kind in KINDS.items()}
    fields["serial"] = StringField(unique=True)
    return type("Bike", (RedisModel,), {"database": server.database()} | fields)


Kinds = type[Exception] | tuple[type[Exception], ...]
Act = Callable[[], Any]


def raises(kind: Kinds, *words: str) -> Any:
    """Check that the block raises *kind*, and that its message names all *words*."""
    return pytest.raises(kind, match="(?s)" + "".join(f"(?=.*{re.escape(word)})" for word in words))


@contextmanager
def unwritten(server: Backend, burnt: int = 0) -> Iterator[None]:
    """Check that the block leaves the data as it was; *burnt* primary keys of the bikes may be counted in vain."""
    before = server.dump()
    yield
    if burnt:
        counted = int(before.get(b":bike:max_pk", ("string", b"0"))[1]) + burnt
        before[b":bike:max_pk"] = ("string", b"%d" % counted)
    assert before == server.dump()


@contextmanager
def refused(server: Backend, kind: Kinds, *words: str, burnt: int = 0) -> Iterator[None]:
    """Check that the block raises *kind*, its message names all *words*, and the data is what it was.

    A commit of new objects burns their primary keys: *burnt* of them.
    """
    with unwritten(server, burnt), raises(kind, *words):
        yield


def everywhere(server: Backend, model: type[RedisModel], act: Act, kind: Kinds, *words: str) -> None:
    """Check that *act* is refused outside a session, and inside one at once, which then holds nothing of it."""
    each_everywhere(server, model, [(act, words)], kind)


def each_everywhere(
    server: Backend, model: type[RedisModel], acts: Iterable[tuple[Act, Iterable[str]]], kind: Kinds
) -> None:
    """Same as :func:`everywhere` for several acts with their words; the data is looked at once."""
    acts = list(acts)
    with unwritten(server):
        for act, words in acts:
            with raises(kind, *words):
                act()
        with Session(model.database) as s:
            for act, words in acts:
                with raises(kind, *words):
                    act()
                assert () == s.pending
