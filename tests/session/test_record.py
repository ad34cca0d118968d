"""What a session refuses as soon as it is said, without a server."""

import pytest

from tests.planner.stage import SHOP, create, stored
from uowredis.commands.identity import Identity, State
from uowredis.exceptions import UniquenessError
from uowredis.overlay.overlay import Overlay
from uowredis.planner.rehearsal import Rehearsal
from uowredis.session.record import Record


def chosen(pk: str) -> Identity:
    """Return the handle of a shop whose creation is to be said."""
    return Identity(SHOP, pk, State.EMPTY)


def test_one_primary_key_is_created_once() -> None:
    """The second creation is refused by name, and leaves nothing; after a deletion it is free, and others are."""
    record = Record(Overlay(Rehearsal(0, seed=1)))
    record.create(create(chosen("x"), city="Rome"), None)
    with pytest.raises(UniquenessError, match="already holds the primary key 'x' of Shop"):
        record.create(create(chosen("x"), city="Bern"), None)
    assert [1, 1] == [len(record.journal.commands), len(record.answers)]
    assert record.journal.whole
    record.create(create(chosen("y")), None)
    record.delete(stored(SHOP, "x"))
    record.create(create(chosen("x"), city="Bern"), None)
    assert 4 == len(record.journal.commands)
