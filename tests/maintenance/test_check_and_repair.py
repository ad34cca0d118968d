"""What is planted is found, exactly that; a repair leaves none of it, and nothing else is touched."""

import pickle
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest

from tests.maintenance.stock import FORGOTTEN, PLANTS, Stock, counter_behind, fill, said, stock
from tests.tools.backends import Backend, Dump
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    IndexNotReady,
    InstanceHashField,
    RedisModel,
    check,
    rebuild,
    repair,
)
from uowredis.maintenance import Progress, TwoHolders


@pytest.fixture
def whole(server: Backend) -> Stock:
    """Thirty parts on six shelves, without a fault."""
    data = stock(server.database())
    fill(data, Random(1), 30)
    return data


def plant(server: Backend, seed: int) -> list[Any]:
    """Plant one to three faults of each kind, at objects of their own; return what must be said of them."""
    random = Random(seed)
    pks = [str(pk) for pk in random.sample(range(1, 30), 29)]
    expected = []
    with server.client() as client:
        for planted in PLANTS:
            for _ in range(random.randrange(1, 3)):
                expected += planted(client, pks.pop())
        if random.random() < 0.5:
            expected.append(counter_behind(client, 30))
    return sorted(expected, key=repr)


def test_whole_data_has_no_findings(whole: Stock, server: Backend) -> None:
    """A check finds nothing, a repair does nothing, and both leave the data as it is."""
    before = server.dump()
    assert [] == said(check(*whole.models))
    assert [] == list(repair(*whole.models, orphans="delete", references="clear", forget=FORGOTTEN))
    assert [] == list(rebuild(whole.Part))
    assert before == server.dump()


@pytest.mark.parametrize("seed", range(12))
def test_what_is_planted_is_found_and_nothing_else(whole: Stock, server: Backend, seed: int) -> None:
    """Faults of every kind at random objects: exactly these are told, each once, and a check changes nothing."""
    expected = plant(server, seed)
    before = server.dump()
    assert expected == said(check(*whole.models))
    assert before == server.dump()


#: What no repair decides.
UNDECIDED = {
    "two holders of a unique value",
    "key of another type",
    "object without data",
    "unreadable value",
    "value of another spelling",
}


@pytest.mark.parametrize("orphans", ["adopt", "delete"])
@pytest.mark.parametrize("seed", range(6))
def test_a_repair_leaves_only_what_somebody_must_decide(whole: Stock, server: Backend, seed: int, orphans: Any) -> None:
    """All else is mended; what a dry run shows first sends nothing, and a second repair has nothing to do."""
    expected = plant(server, seed)
    before = server.dump()
    options: dict[str, Any] = {"orphans": orphans, "references": "clear", "forget": FORGOTTEN}
    shown = list(repair(*whole.models, dry_run=True, **options))
    assert before == server.dump()
    assert not any(each.applied for each in shown)
    done = list(repair(*whole.models, **options))
    mended = said(finding for each in done for finding in each.findings)
    assert [each for each in expected if each[0] not in UNDECIDED] == mended
    assert [each for each in expected if each[0] in UNDECIDED] == said(check(*whole.models))
    assert not any(each.findings for each in repair(*whole.models, **options))


@pytest.mark.parametrize("seed", range(6))
def test_a_repair_that_is_asked_for_nothing_destroys_nothing(whole: Stock, server: Backend, seed: int) -> None:
    """Index entries and the counter follow from the data; no data is changed, and what is left is told."""
    expected = plant(server, seed)
    before = server.dump()
    left = said(finding for each in repair(*whole.models) for finding in each.left)
    kept = ("missing", "stale", "entry of", "counter", "object without")
    assert [each for each in expected if not each[0].startswith(kept)] == left
    assert data_of(before) == data_of(server.dump())


def data_of(dump: Dump) -> Dump:
    """Return what is no index of a declared field, and no counter."""
    indexes = (b":part:%s:" % name for name in (b"number", b"color", b"state", b"tags", b"codes", b"steps", b"ranks"))
    more = (b":part:size:", b":part:max_pk", b":shelf:label:", b":bill:sum:", b":bill:items:", b":bill:marks:")
    opening = (*indexes, *more)
    return {key: value for key, value in dump.items() if not key.startswith(opening)}


def test_an_orphan_is_not_adopted_over_the_claim_of_another(whole: Stock, server: Backend) -> None:
    """Its unique value belongs to a living object: it stays what it is."""
    with server.client() as client:
        client.set(":shelf:late:label", "label 3")
    (finding,) = check(whole.Shelf)
    (done,) = repair(whole.Shelf, orphans="adopt")
    assert (finding,) == done.left
    assert not done.findings
    assert not whole.Shelf.exists("late")
    assert "s:3" == whole.Shelf.get(label="label 3").spot.get()


def test_an_adopted_orphan_is_an_object_again(whole: Stock, server: Backend) -> None:
    """It has its values, is found by them, and no later object gets its primary key."""
    with server.client() as client:
        client.hset(":part:40:hash", mapping={"number": "lost", "color": "green"})
    for _ in repair(whole.Part, orphans="adopt"):
        pass
    assert ["40"] == list(whole.Part.collection(number="lost", color="green"))
    assert "41" == whole.Part(number="next").pk.get()


@pytest.mark.parametrize("field", ["color", "codes", "steps", "size"])
def test_an_index_that_is_declared_later_is_filled(server: Backend, field: str) -> None:
    """Queries, uniqueness and deletions are right after a rebuild, of one field or of all."""
    old = stock(server.database())
    fill(old, Random(2), 20)
    before = server.dump()
    with server.client() as client:
        for key in client.keys(f":part:{field}:*"):
            client.delete(key)
    for done in rebuild(old.Part, field):
        assert done.applied
    assert before == server.dump()


def test_a_unique_index_that_is_built_names_the_duplicates(whole: Stock, server: Backend) -> None:
    """Both holders are in it, and nobody else can take the value; which of them keeps it is not decided."""
    with server.client() as client:
        client.hset(":part:5:hash", "number", "n7")
        for key in client.keys(":part:number:*"):
            client.delete(key)
        done = list(rebuild(whole.Part, "number"))
        assert {b"5", b"8"} == client.smembers(":part:number:n7")
    (left,) = [finding for each in done for finding in each.left]
    assert isinstance(left, TwoHolders)
    assert ("5", "8") == left.pks
    assert "'n7' of Part.number is held by 5, 8" in str(left)


def test_only_the_fields_that_are_named_are_rebuilt(whole: Stock, server: Backend) -> None:
    """The index of another one stays as it is."""
    with server.client() as client:
        client.delete(":part:color:red")
        client.sadd(":part:state:no", 1)
        for _ in rebuild(whole.Part, "state", dry_run=True):
            pass
        assert client.exists(":part:state:no")
        for _ in rebuild(whole.Part, "state"):
            pass
        assert not client.exists(":part:color:red", ":part:state:no")


def test_an_index_key_of_another_type_is_told(whole: Stock, server: Backend) -> None:
    """What belongs into it cannot be entered; all else is mended."""
    with server.client() as client:
        client.delete(":part:color:red", ":part:color:blue")
        client.set(":part:color:red", "x")
    assert {"key of another type", "missing entry"} == {finding.fault for finding in check(whole.Part)}
    for _ in repair(whole.Part):
        pass
    assert ["key of another type: ':part:color:red' is no set"] == list(map(str, check(whole.Part)))


def test_a_text_that_is_no_value_is_told_until_it_is_written_over(whole: Stock, server: Backend) -> None:
    """By its type, cut where it is long; what was told to be not found is found once it was said again."""
    bill = whole.Bill(UUID(int=1))
    with server.client() as client:
        client.hset(bill.sent.key, "sent", "x" * 1_000)
        client.set(bill.sum.key, "1.50")
    for _ in repair(whole.Bill):
        pass
    misspelled, unreadable = check(whole.Bill)
    assert str(unreadable) == (
        f"unreadable value: Bill <{bill.pk.get()}>.sent holds date, and {'x' * 100!r}... (1,000 characters) is stored, "
        f"which cannot be read"
    )
    assert str(misspelled) == (
        f"value of another spelling: Bill <{bill.pk.get()}>.sum holds '1.50', which Decimal spells otherwise: it is "
        f"not found by its value"
    )
    assert bill not in whole.Bill.collection(sum=Decimal("1.5")).instances()
    bill.sent.hset(date(2026, 1, 3))
    bill.sum.set(bill.sum.get())
    assert [] == said(check(whole.Bill))
    assert bill in whole.Bill.collection(sum=Decimal("1.5")).instances()


def test_models_within_the_keys_of_another_are_not_its_business(server: Backend) -> None:
    """A namespace may begin with the keys of a model with counted primary keys."""
    data = stock(server.database())

    class Wheel(RedisModel):
        database = data.database
        namespace = ":part"
        size = InstanceHashField(indexable=True)

    Wheel(size="28")
    data.Part(number="1")
    assert [] == said(check(*data.models, Wheel))


def test_an_index_that_was_dropped_leaves_nothing_for_its_return(server: Backend) -> None:
    """Entries that nobody kept while it was away are told, and can be taken away before."""

    def bike(indexable: bool) -> Any:
        class Bike(RedisModel):
            database = server.database()
            color = InstanceHashField(indexable=indexable)

        return Bike

    before, without = bike(True), bike(False)
    before(color="red")
    without(1).delete()
    (finding,) = check(without)
    assert "index not declared: ':bike:color:red' is of no index of Bike" == str(finding)
    assert [finding] == [left for done in repair(without) for left in done.left]
    for done in repair(without, forget=["color"]):
        assert done.applied
    again = bike(True)
    with pytest.warns(RuntimeWarning, match="color"), pytest.raises(IndexNotReady, match="uowredis rebuild"):
        again.exists(color="red")
    assert ["fingerprint of Bike: indexes are being built", "fingerprint of Bike: indexes are ready"] == [
        done.plan.title for done in rebuild(again)
    ]
    assert not again.exists(color="red")


def test_findings_are_data(whole: Stock, server: Backend) -> None:
    """They are equal, hashed, and known by their facts; those of models in a module can be pickled."""
    plant(server, 3)
    one, other = list(check(*whole.models)), list(check(*whole.models))
    assert set(one) == set(other)
    assert all(str(finding).startswith(finding.fault) for finding in one)
    with pytest.raises(TypeError, match="declare it in a module"):
        pickle.dumps(one[0])


def test_progress_is_told(whole: Stock) -> None:
    """Of each phase, to its end."""
    told: list[Progress] = []
    assert [] == list(check(whole.Part, progress=told.append))
    assert ["keys", "objects", "indexes"] == list(dict.fromkeys(each.phase for each in told))
    assert [(30, 30)] == [(each.done, each.total) for each in told if each.phase == "objects"]


def test_other_words_are_refused(whole: Stock) -> None:
    """Before anything is asked."""
    with pytest.raises(ArgumentError, match=r"repair.orphans=.... takes 'leave', 'adopt', 'delete', not 'remove'"):
        repair(whole.Part, orphans="remove")
    with pytest.raises(ArgumentError, match="references"):
        repair(whole.Part, references="delete")
    with pytest.raises(ArgumentTypeError, match=r"Way out: forget=\['color'\]"):
        repair(whole.Part, forget="color")
    with pytest.raises(ArgumentError, match=r"Part.color is declared and has an index"):
        repair(whole.Part, forget=["color"])
    with pytest.raises(ArgumentError, match="no indexed field 'remark'; it has number, color"):
        rebuild(whole.Part, "remark")
    with pytest.raises(ArgumentTypeError, match="takes models"):
        list(check(whole.Part(1)))
