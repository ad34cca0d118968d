"""What upkeep, and its commands, refuse or leave names a way out, and each is taken here as it is named."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools.backends import Backend, Real
from tests.tools.meanwhile import meanwhile
from tests.tools.proxy import Proxy
from tests.tools.ways_out import Told, tries
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    Conflict,
    ImplementationError,
    InstanceHashField,
    PKField,
    RedisDatabase,
    RedisModel,
    StringField,
    check,
    rebuild,
    rename,
    repair,
)
from uowredis.cli import main
from uowredis.contrib.indexes import EqualIndexWith
from uowredis.executor.drive import drive
from uowredis.executor.line import Line
from uowredis.indexes import EqualIndex
from uowredis.maintenance.finding import Policy
from uowredis.maintenance.mending import mended
from uowredis.plan.requests import Apply, Pause


def bikes(on: RedisDatabase, **options: Any) -> Any:
    """Declare bikes, and make two."""

    class Bike(RedisModel):
        database = on
        name = InstanceHashField(unique=True)
        color = StringField(indexable=True, **options)
        size = StringField()

    Bike(name="one", color="red")
    Bike(name="two", color="blue")
    return Bike


@pytest.fixture
def bike(server: Backend) -> Any:
    return bikes(server.database())


@tries("{}() takes models")
def test_what_is_no_model(told: Told, bike: Any) -> None:
    with told(ArgumentTypeError):
        check(bike(1)).__next__()
    assert [] == list(check(bike))


@tries("repair(forget=...) takes names")
def test_forget_a_text(told: Told, server: Backend, bike: Any) -> None:
    with server.client() as client:
        client.set(":bike:1:weight", "3")
    with told(ArgumentTypeError) as caught:
        repair(bike, forget="weight")
    assert str(caught.value).endswith("Way out: forget=['weight']")
    for done in repair(bike, forget=["weight"]):
        assert done.applied
    assert [] == list(check(bike))


@tries("{}.{} is declared and has an index")
def test_forget_what_is_declared(told: Told, server: Backend, bike: Any) -> None:
    with server.client() as client:
        client.set(":bike:1:weight", "3")
    with told(ArgumentError):
        repair(bike, forget=["weight", "color"])
    assert [True] == [done.applied for done in repair(bike, forget=["weight"])]


@tries("Others changed what mends {} stands on")
def test_repair_beside_a_writer(told: Told, server: Backend, bike: Any) -> None:
    line = Line(lambda: bike.database._executor)
    with server.client() as other:
        other.delete(":bike:color:red")

        def answer(request: Any) -> Any:
            if isinstance(request, Apply):
                other.set(":bike:1:color", "red")
            return None if isinstance(request, Pause) else line.answer(request)

        with told(Conflict):
            drive(mended(list(check(bike)), Policy(), dry_run=False), answer)
    assert [True] == [done.applied for done in repair(bike)]
    assert [] == list(check(bike))


# Renames.


@tries("{}.{} {}. Way out: one of {}")
def test_rename_no_field(told: Told, bike: Any) -> None:
    for wrong in ("colour", "pk"):
        with told(ImplementationError) as caught:
            rename(bike, wrong, "farbe")
        assert str(caught.value).endswith("Way out: one of name, color, size")
    for name in ("name", "color", "size"):
        assert rename(bike, name, f"{name}_").is_done


@tries("{}.{} is in an index of several fields")
def test_rename_in_an_index_of_several_fields(told: Told, bike: Any) -> None:
    on, without = bike.database, {"name": StringField(indexable=True), "size": StringField()}
    joint = EqualIndexWith.configure(other_fields=["size"])
    fields = {"name": StringField(indexable=True, indexes=[EqualIndex, joint]), "size": StringField()}
    car = type(RedisModel)("Car", (RedisModel,), {"database": on, **fields})
    car(name="a", size=1)
    for name in fields:
        with told(ImplementationError):
            rename(car, name, "was")
    assert rename(type(RedisModel)("Car", (RedisModel,), {"database": on, **without}), "size", "was").is_done
    size = StringField(stored_as="was")
    car = type(RedisModel)("Car", (RedisModel,), {"database": on, "name": fields["name"], "size": size})
    list(rebuild(car))
    assert ["1"] == list(car.collection(name="a", size=1))


@tries("{}.{} is stored as {} {}")
def test_rename_to_its_own_name(told: Told, bike: Any) -> None:
    rename(bike, "color", "was")
    with told(ArgumentError):
        rename(bike, "color", "color")
    assert 2 == rename(bike, "color", "color", old="was").moved


@tries("{}.{} cannot be stored as {}: {}. Way out", "maintenance/")
def test_rename_to_what_cannot_be(told: Told, bike: Any) -> None:
    for wrong in ("a:b", "size", "pk"):
        with told(ImplementationError):
            rename(bike, "color", wrong)
    assert 2 == rename(bike, "color", "farbe").moved


@tries("{}.{} cannot be stored as {}: keys of {} begin")
def test_rename_into_the_keys_of_another(told: Told, server: Backend, bike: Any) -> None:
    class Wheel(RedisModel):
        database = bike.database
        namespace = ":bike"

    with told(ImplementationError):
        rename(bike, "color", "wheel")
    assert 2 == rename(bike, "color", "farbe").moved


@tries("{}.{} cannot be stored as {}: there is the primary key")
def test_rename_to_a_primary_key(told: Told, server: Backend) -> None:
    class Shop(RedisModel):
        database = server.database()
        key = PKField()
        street = StringField(indexable=True)

    Shop(key="road", street="x")
    with told(ImplementationError):
        rename(Shop, "street", "road")
    assert 1 == rename(Shop, "street", "way").moved


@tries("{} is {} under {}, and {} under {}")
@pytest.mark.parametrize(("both", "stays"), [("old", b"red"), ("new", b"other")])
def test_rename_of_two_values(told: Told, server: Backend, bike: Any, both: Any, stays: bytes) -> None:
    with server.client() as client:
        client.set(":bike:1:farbe", "other")
        left: list[Any] = []
        rename(bike, "color", "farbe", tell=left.append)
        told.sees(*left)
        assert rename(bike, "color", "farbe", both=both).is_done
        assert stays == client.get(":bike:1:farbe")


@tries("{} is unique, and {} is held by {}")
def test_rename_of_a_value_that_two_hold(told: Told, server: Backend, bike: Any) -> None:
    with server.client() as client:
        client.hset(":bike:2:hash", "name", "one")
        client.sadd(":bike:name:one", 2)
        left: list[Any] = []
        rename(bike, "name", "title", tell=left.append)
        told.sees(*left)
        client.hset(":bike:2:hash", "name", "three")
        for _ in repair(bike):
            pass
        assert rename(bike, "name", "title").is_done


# The command line.


@pytest.fixture
def target(real: Real, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Bikes as a command line names them, on a real server."""
    monkeypatch.setenv("RENAMED_URL", real.server.url)
    sys.modules.pop("tests.maintenance.renamed", None)
    renamed = importlib.import_module("tests.maintenance.renamed")
    renamed.Bike(colour="red")
    yield "tests.maintenance.renamed:Bike"
    renamed.Bike.database.close()
    sys.modules.pop("tests.maintenance.renamed", None)


@tries("{} is no model. Way out: module:Model")
def test_a_target_without_model(told: Told, target: str, capsys: Any) -> None:
    assert 2 == main(["check", target.partition(":")[0]])
    told.sees(capsys.readouterr().err)
    assert 0 == main(["check", target])


@tries("{}: module {} cannot be imported")
def test_a_target_that_is_elsewhere(told: Told, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    text = "import uowredis\n\nclass Bike(uowredis.RedisModel):\n    database = uowredis.RedisDatabase.embedded()\n"
    Path(tmp_path, "bikes_of_this_test.py").write_text(text)
    assert 2 == main(["check", "bikes_of_this_test:Bike"])
    told.sees(capsys.readouterr().err)
    monkeypatch.chdir(tmp_path)
    assert 0 == main(["check", "bikes_of_this_test:Bike"])


@tries("{} is no model but {}")
def test_a_target_that_is_none(told: Told, target: str, capsys: Any) -> None:
    for wrong in ("url", "Abstract"):
        assert 2 == main(["check", target.replace("Bike", wrong)])
        told.sees(capsys.readouterr().err)
    assert 0 == main(["check", target])


@tries("{} names a field. Way out: {}, its model")
def test_a_target_with_a_field(told: Told, target: str, capsys: Any) -> None:
    assert 2 == main(["check", f"{target}.colour"])
    told.sees(capsys.readouterr().err)
    assert 0 == main(["check", target])


@tries("{} names no field")
def test_a_rename_without_field(told: Told, target: str, capsys: Any) -> None:
    assert 2 == main(["rename", target, "colour"])
    told.sees(error := capsys.readouterr().err)
    assert f"Way out: {target}.field" in error
    assert 0 == main(["rename", f"{target}.colour", "colour"])


@tries("{} or more were written under the old name meanwhile")
def test_a_rename_beside_a_writer(
    told: Told, proxy: Proxy, real: Real, target: str, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("RENAMED_URL", proxy.url)
    sys.modules.pop("tests.maintenance.renamed")
    # Each time that it was moved somebody writes it again.
    again = meanwhile(
        proxy, "EXEC", lambda _: real.client().hset(":bike:1:hash", "color", "red"), None, times=10, after=True
    )
    with again:
        assert 1 == main(["rename", f"{target}.colour", "colour"])
    told.sees(capsys.readouterr().out)
    assert 0 == main(["rename", f"{target}.colour", "colour"])
