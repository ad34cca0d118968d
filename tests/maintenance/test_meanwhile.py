"""Another client acts exactly between the look of a repair and its EXEC: what it did stays."""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

import pytest

from tests.maintenance.stock import Stock, fill, misspelled, said, stock, unreadable
from tests.tools.backends import Backend, Real
from tests.tools.meanwhile import meanwhile
from tests.tools.proxy import Proxy
from uowredis import RedisDatabase, UniquenessError, check, repair
from uowredis.executor.drive import drive
from uowredis.executor.line import Line
from uowredis.maintenance.finding import Policy
from uowredis.maintenance.mending import batches, mended
from uowredis.plan.requests import Apply


@pytest.fixture
def other(server: Backend) -> Stock:
    """Ten parts; the models of the other client."""
    data = stock(server.database())
    fill(data, Random(6), 10)
    return data


def repair_meanwhile(data: Stock, policy: Policy, act: Callable[[], None]) -> int:
    """Mend all that is found; let another *act* before the first plan is applied. Return how many plans were sent."""
    line, applied = Line(lambda: data.database._executor), 0

    def answer(request: Any) -> Any:
        nonlocal applied
        if isinstance(request, Apply):
            applied += 1
            if applied == 1:
                act()
        return line.answer(request)

    for batch in batches(list(check(*data.models))):
        drive(mended(batch, policy, dry_run=False), answer)
    return applied


def _takes_the_value(data: Stock) -> None:
    data.Part(1).color.hset("ghost")


def _sets_it_anew(data: Stock) -> None:
    data.Part(1).state.set("9")


def _deletes_it(data: Stock) -> None:
    data.Part(1).delete()


def _creates_it(data: Stock) -> None:
    data.Shelf(spot="late", aisle="7")


def _claims_its_value(data: Stock) -> None:
    data.Shelf(spot="new", label="late label")


def _creates_what_is_referred_to(data: Stock) -> None:
    data.Shelf(spot="nowhere", note="x")


def _refers_to_another(data: Stock) -> None:
    data.Part(1).former.set("s:2")


def _counts(data: Stock) -> None:
    data.database.connection.set(":part:max_pk", 500)


@pytest.mark.parametrize(
    ("plant", "act"),
    [
        ([("SADD", ":part:color:ghost", "1")], _takes_the_value),
        ([("DEL", ":part:state:0", ":part:state:1", ":part:state:2", ":part:state:3")], _sets_it_anew),
        ([("DEL", ":part:state:0", ":part:state:1", ":part:state:2", ":part:state:3")], _deletes_it),
        ([("SADD", ":shelf:aisle:7", "late")], _creates_it),
        ([("SET", ":shelf:late:label", "late label")], _claims_its_value),
        ([("SET", ":shelf:late:note", "x")], _creates_it),
        ([("SET", ":part:1:former", "nowhere")], _creates_what_is_referred_to),
        ([("SET", ":part:1:former", "nowhere")], _refers_to_another),
        ([("SET", ":part:max_pk", "3")], _counts),
    ],
)
@pytest.mark.parametrize("orphans", ["adopt", "delete"])
def test_what_another_did_stays(
    server: Backend, other: Stock, plant: Any, act: Callable[[Stock], None], orphans: Any
) -> None:
    """The repair looks anew, and takes nothing away of what the other claimed."""
    data = stock(server.database())
    with server.client() as client:
        for call in plant:
            client.execute_command(*call)
    assert repair_meanwhile(data, Policy(orphans, "clear"), lambda: act(other))
    assert [] == [finding for finding in said(check(*other.models)) if finding[0] != "data without primary key"]
    match act.__name__:
        case "_takes_the_value":
            assert "1" in other.Part.collection(color="ghost")
        case "_sets_it_anew":
            assert ["1"] == list(other.Part.collection(state="9"))
        case "_creates_it":
            assert "late" in other.Shelf.collection(aisle="7")
        case "_claims_its_value":
            assert ["new"] == list(other.Shelf.collection(label="late label"))
        case "_creates_what_is_referred_to":
            assert "nowhere" == other.Part(1).former.get()
        case "_refers_to_another":
            assert "1" in other.Part.collection(former="s:2")
        case "_counts":
            assert "501" == other.Part(number="n501").pk.get()


@pytest.mark.parametrize("by", ["a value", "a deletion"])
def test_a_text_that_was_written_over_is_told_no_more(server: Backend, other: Stock, by: str) -> None:
    """What was found of it does not hold where the text, or its object, is gone."""
    with server.client() as client:
        for plant in (unreadable, misspelled):
            list(plant(client, "1"))
    *found, pk = sorted(check(other.Bill), key=lambda finding: finding.field.name == "number")
    client.srem(":bill:collection", pk.pk)
    bill = other.Bill(UUID(int=1))
    if by == "a deletion":
        bill.delete()
    else:
        for field in (bill.sum, bill.sent, bill.paid, bill.items, bill.weights, bill.marks):
            field.delete()
    (done,) = drive(mended([*found, pk], Policy(), dry_run=False), Line(lambda: other.database._executor).answer)
    assert ((), ()) == (done.findings, done.left)
    assert len(found) == 7


@pytest.mark.parametrize("orphans", ["adopt", "delete"])
def test_a_creation_notices_what_becomes_of_an_orphan(real: Real, proxy: Proxy, orphans: Any) -> None:
    """Between its look and its EXEC the primary key is adopted: it is taken. Or the data is deleted: it is created."""
    other = stock(real.database())
    with real.client() as client, RedisDatabase.from_url(proxy.url) as database:
        ours = stock(database)
        ours.Shelf(spot="first")
        client.set(":shelf:late:note", "theirs")
        proxy.reset()
        with meanwhile(proxy, "WATCH", lambda _: list(repair(other.Shelf, orphans=orphans)), None):
            if orphans == "adopt":
                with pytest.raises(UniquenessError):
                    ours.Shelf(spot="late", aisle="1")
            else:
                ours.Shelf(spot="late", aisle="1")
        assert ("theirs" if orphans == "adopt" else None) == other.Shelf("late").note.get()
        assert (None if orphans == "adopt" else "1") == other.Shelf("late").aisle.hget()
