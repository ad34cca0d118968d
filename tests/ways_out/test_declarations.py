"""What is told of declarations that changed names a way out, and each is taken here as it is named."""

import functools
import sys
from typing import Any

import pytest

from tests.tools.backends import Backend
from tests.tools.ways_out import Told, tries
from uowredis import Conflict, IndexNotReady, InstanceHashField, RedisModel, rebuild
from uowredis.cli import main
from uowredis.executor.drive import drive
from uowredis.executor.line import Line
from uowredis.maintenance import fingerprint
from uowredis.plan.requests import Apply, Pause


def bikes(server: Backend, *, indexable: bool) -> Any:
    """Declare bikes in a process of its own, so to say."""
    field = InstanceHashField(indexable=indexable)
    where = {"database": server.database(), "__module__": __name__}
    return type("Bike", (RedisModel,), {**where, "color": field})


@pytest.fixture
def late(server: Backend) -> Any:
    """Bikes with an index on data that was written without, which was told already."""
    bikes(server, indexable=False)(color="red")
    model = bikes(server, indexable=True)
    with pytest.warns(RuntimeWarning, match="is declared with more"):
        model(1)
    return model


def run(command: str, model: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the *command* that a message names, where the module has the *model*."""
    monkeypatch.setattr(sys.modules[__name__], "Bike", model, raising=False)
    program, *words = command.split()
    assert program == "uowredis"
    return main(words)


@tries("{} is declared with more than its data was written with")
def test_a_declaration_with_more(told: Told, server: Backend, monkeypatch: Any) -> None:
    bikes(server, indexable=False)(color="red")
    model = bikes(server, indexable=True)
    with told(RuntimeWarning) as caught:
        model(1)
    assert 0 == run(f"{caught[0].message}".partition("Way out: ")[2], model, monkeypatch)
    # Warnings are errors here: nothing is told any more.
    assert ["1"] == list(bikes(server, indexable=True).collection(color="red"))


@tries("The index of {}.{} has not all it should yet")
def test_an_index_that_is_not_ready(told: Told, late: Any, monkeypatch: Any) -> None:
    with told(IndexNotReady) as caught:
        list(late.collection(color="red"))
    command = str(caught.value).partition("Way out: ")[2].removesuffix(", to its end")
    assert 0 == run(command, late, monkeypatch)
    assert ["1"] == list(late.collection(color="red"))


@tries("{} of {}: somebody who declares no such index wrote meanwhile")
def test_a_rebuild_beside_the_former_program(told: Told, late: Any, server: Backend) -> None:
    former = bikes(server, indexable=False)
    mending = rebuild(late)
    next(mending)
    former(color="blue")
    with told(Conflict):
        list(mending)
    former.database.close()  # it has ended
    list(rebuild(late))
    assert ["2"] == list(late.collection(color="blue"))


@tries("Others changed the fingerprint of {}")
def test_a_fingerprint_that_others_change(told: Told, late: Any, server: Backend) -> None:
    line, times = Line(lambda: late.database._executor), iter(range(10_000))
    begun = functools.partial(fingerprint.begun, late._schema, late._schema.indexed)
    with server.client() as other:

        def answer(request: Any) -> Any:
            if isinstance(request, Apply):
                other.hset(":bike:__fingerprint__", "another", f"{next(times)}")
            return None if isinstance(request, Pause) else line.answer(request)

        with told(Conflict):
            drive(begun(), answer)
        other.hdel(":bike:__fingerprint__", "another")
    list(rebuild(late))
    assert ["1"] == list(late.collection(color="red"))
