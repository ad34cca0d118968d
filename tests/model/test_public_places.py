"""Names stay where users import them from, in reprs, tracebacks and pickles, also in pickles of former versions."""

import pickle
import traceback

import pytest

import uowredis
from uowredis import RedisDatabase, RedisModel, Session, StringField
from uowredis.collection import CollectionManager
from uowredis.contrib import database, related
from uowredis.contrib.collection import ExtendedCollectionManager

on = RedisDatabase.embedded()


class Pickled(RedisModel):
    database = on
    name = StringField()


#: ``pickle.dumps(Pickled("7"), 0)`` as 0.1.0 wrote it.
FORMER = b"cuowredis.model\n_handle_of\np0\n(ctests.model.test_public_places\nPickled\np1\nV7\np2\ntp3\nRp4\n."


def test_a_pickle_of_a_former_version_still_loads() -> None:
    """An instance that was pickled before the modules moved is the handle of the same object."""
    found = pickle.loads(FORMER)
    assert (Pickled, "7") == (type(found), found.pk.get())


def test_a_pickle_names_the_public_place() -> None:
    """What is pickled today does not name where the code is written, and so survives the next move."""
    written = pickle.dumps(Pickled(name="x"), 0)
    assert written.startswith(b"cuowredis.model\n_handle_of\n")
    assert "x" == pickle.loads(written).name.get()


@pytest.mark.parametrize("name", uowredis.__all__)
def test_a_public_class_is_where_it_is_imported_from(name: str) -> None:
    """A class or function shows the module users import it from; errors theirs, ``uowredis.exceptions``."""
    each = getattr(uowredis, name)
    is_error = isinstance(each, type) and issubclass(each, uowredis.UowError)
    assert each.__module__ == ("uowredis.exceptions" if is_error else "uowredis")


def test_the_documented_places_of_contrib() -> None:
    """The same for what stands in ``contrib``."""
    classes = [getattr(related, name) for name in related.__all__ if isinstance(getattr(related, name), type)]
    own = [each for each in classes if each.__module__.startswith("uowredis.contrib")]
    assert {related.__name__} == {each.__module__ for each in own}


def test_every_database_has_pipelines() -> None:
    """There is one class, by both of its documented paths."""
    assert database.PipelineDatabase is uowredis.RedisDatabase
    assert database.Pipeline is uowredis.Pipeline


def test_every_collection_is_an_extended_one() -> None:
    """There is one class, by both of its documented paths."""
    assert ExtendedCollectionManager is CollectionManager is Pickled.collection_manager
    assert type(Pickled.collection()) is CollectionManager
    assert "uowredis.collection" == CollectionManager.__module__


def test_a_traceback_shows_public_names() -> None:
    """The last line of a traceback names the error as it is caught."""
    with pytest.raises(uowredis.SessionError) as caught:
        Session(on).commit()
    assert traceback.format_exception_only(caught.value)[0].startswith("uowredis.exceptions.SessionError: ")
