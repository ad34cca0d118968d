"""Collections of sharded models: each question over all places is answered as lists in Python answer it.

On the embedded server, on a real one, and on a cluster; the objects are in all shards, some of them near others.
"""

import itertools
import random
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cluster.shards import declare
from tests.tools.backends import Backend, Embedded, Real
from tests.tools.cluster import Cluster
from uowredis import ArgumentError, CrossPlace, DoesNotExist, ImplementationError, PendingWrites, Session
from uowredis.collection import SORTED_SCORE
from uowredis.schema.shards import shard_of

COUNT = 8
NAMES = ("ann", "bob", "cid", "ärt")
TAGS = ("a", "b", "c")


@pytest.fixture(scope="module", params=["embedded", "redis", "cluster"])
def filled(request: pytest.FixtureRequest) -> Iterator[SimpleNamespace]:
    """Models with objects in all shards, and what was said of these, in plain Python; nothing is changed by tests."""
    server: Any
    if request.param == "cluster":
        server = request.getfixturevalue("running_cluster")
        server.flush()
    elif request.param == "redis":
        server = Real(request.getfixturevalue("real_server"))
        server.flush()
    else:
        server = Embedded()
    firm = fill(declare(server, COUNT))
    yield firm
    if not isinstance(server, Cluster):
        server.close()


def fill(firm: SimpleNamespace) -> SimpleNamespace:
    """Create tenants, persons and visitors; keep beside them what they hold."""
    chance = random.Random(5)
    firm.tenants = []
    # Where they come to be is left to chance.
    while len({int(each.pk.get()) % COUNT for each in firm.tenants}) < COUNT or len(firm.tenants) < 24:
        firm.tenants.append(firm.tenant(name=f"t{len(firm.tenants) % 5}"))
    by_shard = {int(each.pk.get()) % COUNT: each for each in firm.tenants}
    firm.held = {}
    for number in range(60):
        tenant = by_shard[number % COUNT] if number < 2 * COUNT else chance.choice(firm.tenants)
        held = {
            "tenant": tenant.pk.get(),
            "name": chance.choice(NAMES),
            "age": chance.choice((None, -3, 0, 7, 7, 20, 100)),
            "tags": set(chance.sample(TAGS, chance.randrange(4))),
            "email": f"e{number}",
        }
        person = firm.person(**{name: value for name, value in held.items() if value not in (None, set())})
        firm.held[person.pk.get()] = held
    firm.visitors = {}
    for number in range(40):
        code = f"v{number}" if number % 2 else f"{number}{{x}}"
        firm.visitors[code] = {"name": NAMES[number % 4], "seen": number % 7}
        firm.visitor(code=code, **firm.visitors[code])
    assert COUNT == len({int(pk) % COUNT for pk in firm.held})
    assert 4 < len({shard_of(code, COUNT, auto=False) for code in firm.visitors})
    return firm


def having(firm: SimpleNamespace, wanted: Callable[[dict[str, Any]], bool]) -> list[str]:
    """Return who fulfils *wanted*, by primary key."""
    return sorted((pk for pk, held in firm.held.items() if wanted(held)), key=int)


def number(value: int | None) -> int:
    """Return what SORT compares where nothing is held."""
    return 0 if value is None else value


FILTERS: dict[str, tuple[Callable[[Any], Any], Callable[[dict[str, Any]], bool]]] = {
    "all": (lambda c: c(), lambda held: True),
    "one index": (lambda c: c(name="ann"), lambda held: held["name"] == "ann"),
    "two": (lambda c: c(name="bob", tags="a"), lambda held: held["name"] == "bob" and "a" in held["tags"]),
    "in": (lambda c: c(name__in=["ann", "cid"]), lambda held: held["name"] in ("ann", "cid")),
    "none in": (lambda c: c(name__in=[]), lambda held: False),
    "numbers": (lambda c: c(age__gte=7), lambda held: held["age"] is not None and held["age"] >= 7),
    "between": (lambda c: c(age__gt=-3, age__lt=20), lambda held: held["age"] in (0, 7)),
    "texts": (lambda c: c(name__gt="bob"), lambda held: held["name"] > "bob"),
    "beginning": (lambda c: c(name__startswith="b"), lambda held: held["name"].startswith("b")),
    "range and set": (
        lambda c: c(age__lte=7, tags="b"),
        lambda held: (held["age"] or 0) <= 7 and held["age"] is not None and "b" in held["tags"],
    ),
    "exclude": (lambda c: c().exclude(name="ann"), lambda held: held["name"] != "ann"),
    "exclude two": (
        lambda c: c(tags="a").exclude(name="ann", tags="b"),
        lambda held: "a" in held["tags"] and not (held["name"] == "ann" and "b" in held["tags"]),
    ),
    "or": (lambda c: c(name="ann") | c(tags="c"), lambda held: held["name"] == "ann" or "c" in held["tags"]),
    "and": (lambda c: c(name="ann") & c(age=7), lambda held: held["name"] == "ann" and held["age"] == 7),
    "minus": (lambda c: c(tags="a") - c(tags="b"), lambda held: held["tags"] >= {"a"} and "b" not in held["tags"]),
    "nobody": (lambda c: c(name="nobody"), lambda held: False),
}


@pytest.mark.parametrize("said", FILTERS)
def test_who_is_found(filled: SimpleNamespace, said: str) -> None:
    """Members, their number, whether there are any, who is among them, one of them, and all by pages."""
    make, wanted = FILTERS[said]
    expected = having(filled, wanted)

    def collection() -> Any:
        return make(filled.person.collection)

    assert sorted(collection(), key=int) == expected
    assert len(expected) == collection().count() == len(collection())
    assert bool(expected) == collection().exists() == bool(collection())
    assert collection()[:] == expected
    assert collection()[2:7] == expected[2:7]
    assert collection()[-3:] == expected[-3:]
    assert (expected[0] if expected else None) == collection().first()
    assert sorted(collection().iter(chunk=3), key=int) == expected
    page = collection().page(3, 4)
    assert (expected[3:7], len(expected)) == (list(page), page.total)
    assert {pk: pk in collection() for pk in filled.held} == {pk: pk in expected for pk in filled.held}
    assert [filled.person(pk) for pk in expected[:4]] == collection().instances()[:4]
    assert len(expected) == len(collection().instances())
    stored = collection().store()
    assert sorted(stored, key=int) == expected
    assert len(expected) == len(stored.instances()) == len(stored.values("name"))
    on_all = filled.person.collection().sort(by="-age").store()

    def of_these() -> Any:
        return make(filled.person.collection).from_stored(on_all.stored_key)

    assert sorted(of_these(), key=int) == expected
    assert (len(expected), len(expected)) == (of_these().count(), of_these().page(0, 1).total)
    assert bool(expected) == bool(of_these())
    assert {pk: pk in of_these() for pk in filled.held} == {pk: pk in expected for pk in filled.held}
    found = {each.pk.get(): each.loaded for each in collection().instances(load=("name", "tags", "tenant__name"))}
    assert expected == sorted(found, key=int)
    for pk, loaded in found.items():
        held = filled.held[pk]
        assert (held["name"], held["tags"]) == (loaded["name"], loaded["tags"])
        assert filled.tenant(held["tenant"]).name.hget() == loaded["tenant__name"]


SORTS: dict[str, tuple[Callable[[Any], Any], Callable[[str, dict[str, Any]], Any], bool]] = {
    "pk": (lambda c: c.sort(), lambda pk, held: int(pk), False),
    "pk down": (lambda c: c.sort(by="-pk"), lambda pk, held: int(pk), True),
    "pk as text": (lambda c: c.sort(alpha=True), lambda pk, held: pk, False),
    "numbers": (lambda c: c.sort(by="age"), lambda pk, held: (number(held["age"]), int(pk)), False),
    "numbers down": (lambda c: c.sort(by="-age"), lambda pk, held: (number(held["age"]), int(pk)), True),
    "texts": (lambda c: c.sort(by="name", alpha=True), lambda pk, held: (held["name"].encode(), int(pk)), False),
    "texts down": (lambda c: c.sort(by="-name", alpha=True), lambda pk, held: (held["name"].encode(), int(pk)), True),
    "two": (
        lambda c: c.sort(by=("name", "age"), alpha=["name"]),
        lambda pk, held: (held["name"].encode(), number(held["age"]), int(pk)),
        False,
    ),
}


@pytest.mark.parametrize("said", SORTS)
@pytest.mark.parametrize("who", ["all", "one index", "two", "numbers", "or"])
def test_in_which_order(filled: SimpleNamespace, said: str, who: str) -> None:
    """What is equal goes by primary key, over all places as in one; values go with it, and slices are cut of all."""
    (make, wanted), (sort, key, desc) = FILTERS[who], SORTS[said]
    expected = sorted(having(filled, wanted), key=lambda pk: key(pk, filled.held[pk]), reverse=desc)

    def collection() -> Any:
        return sort(make(filled.person.collection))

    assert list(collection()) == expected
    for start, stop in ((0, 3), (2, 9), (5, None), (50, 60)):
        assert expected[start:stop] == collection()[start:stop]
    assert (expected[:1] or [None])[0] == collection().first()
    rows = [{"name": filled.held[pk]["name"], "pk": pk, "age": filled.held[pk]["age"]} for pk in expected]
    assert rows == list(collection().values("name", "pk", "age"))
    assert rows[1:6] == collection().values("name", "pk", "age")[1:6]
    assert [row["age"] for row in rows][:7] == collection().values_list("age", flat=True)[:7]
    assert [filled.held[pk]["tags"] for pk in expected[:5]] == collection().values_list("tags", flat=True)[:5]
    page = collection().instances().page(2, 5)
    assert (expected[2:7], len(expected)) == ([each.pk.get() for each in page], page.total)
    assert expected == [each.pk.get() for each in collection().instances(lazy=True)]


@pytest.mark.parametrize("who", ["all", "numbers", "between", "one index"])
@pytest.mark.parametrize(("by", "desc"), [("age", False), ("age", True), ("name", False), ("name", True)])
def test_pages_that_follow(filled: SimpleNamespace, who: str, by: str, desc: bool) -> None:
    """All that has a value, once, in order, however it is cut."""
    make, wanted = FILTERS[who]
    spelled = (lambda value: value.encode()) if by == "name" else (lambda value: value)
    expected = sorted(
        (pk for pk in having(filled, wanted) if filled.held[pk][by] is not None),
        key=lambda pk: (spelled(filled.held[pk][by]), int(pk)),
        reverse=desc,
    )
    for size in (1, 4, 100):
        found: list[str] = []
        place = None
        while True:
            asked = make(filled.person.collection).sort(by=by, alpha=by == "name", desc=desc)
            some = asked.after(place, size)
            found += some
            if len(some) < size:
                break
            place = some.last
            assert (filled.held[some[-1]][by], some[-1]) == place
        assert found == expected
    some = (
        make(filled.person.collection).sort(by=by, alpha=by == "name", desc=desc).values("name", "age").after(None, 3)
    )
    assert [{name: filled.held[pk][name] for name in ("name", "age")} for pk in expected[:3]] == list(some)


def test_chosen_primary_keys(filled: SimpleNamespace) -> None:
    """They are ordered as text."""
    codes = sorted(filled.visitors, key=str.encode)
    assert codes == filled.visitor.collection().sort(alpha=True)[:]
    ordered = sorted(codes, key=lambda code: (filled.visitors[code]["seen"], code.encode()))
    assert ordered == list(filled.visitor.collection().sort(by="seen"))
    assert ordered[5:15] == filled.visitor.collection().sort(by="seen")[5:15]
    assert codes == [each.code.get() for each in filled.visitor.get_many(codes)]
    assert [codes[3]] == list(filled.visitor.collection(code=codes[3]))
    assert sorted(codes[:9]) == sorted(filled.visitor.collection(pk__in=codes[:9]))
    assert [code for code in codes[:9] if filled.visitors[code]["seen"] > 3] == sorted(
        filled.visitor.collection(code__in=codes[:9], seen__gt=3)
    )


def test_sets_and_scores_from_elsewhere(filled: SimpleNamespace) -> None:
    """What is in a set, in another collection, in a field, or in the order of a sorted set: wherever that is."""
    pks = sorted(filled.held, key=int)
    client = filled.db.connection
    client.sadd("some", *pks[:20], "nobody")
    client.zadd("ranks", {pk: -place for place, pk in enumerate(pks[:10])})
    ann = filled.person.collection(name="ann")
    expected = having(filled, lambda held: held["name"] == "ann")
    assert [pk for pk in expected if pk in pks[:20]] == sorted(ann.copy().intersect("some"), key=int)
    assert [pk for pk in expected if pk in pks[5:]] == sorted(ann.copy().intersect(pks[5:]), key=int)
    others = filled.person.collection(tags="a")
    both = having(filled, lambda held: held["name"] == "ann" and "a" in held["tags"])
    assert both == sorted(ann.copy().intersect(others), key=int)
    by_rank = sorted(pks[:20], key=lambda pk: (-pks.index(pk) if pk in pks[:10] else 0, int(pk)))
    ranked = filled.person.collection().intersect("some").sort(by_score="ranks")
    assert by_rank == list(ranked.copy())
    assert by_rank[3:8] == ranked.copy()[3:8]
    rows = ranked.copy().values("pk", SORTED_SCORE)[:2]
    assert [{"pk": pk, SORTED_SCORE: f"{-pks.index(pk)}"} for pk in by_rank[:2]] == rows
    client.delete("some", "ranks")


def test_what_refers_from_the_other_side(filled: SimpleNamespace) -> None:
    """It lies in the place of each."""
    for pk, names in filled.tenant.collection().sort().values_list("pk", "person_set__name"):
        expected = [
            held["name"]
            for _, held in sorted(filled.held.items(), key=lambda each: int(each[0]))
            if held["tenant"] == pk
        ]
        assert expected == names


def test_values_without_order(filled: SimpleNamespace) -> None:
    """Each object's own, in any order."""
    rows = filled.person.collection(tags="b").values("pk", "name")
    expected = [{"pk": pk, "name": held["name"]} for pk, held in filled.held.items() if "b" in held["tags"]]
    assert sorted(expected, key=lambda row: row["pk"]) == sorted(rows, key=lambda row: row["pk"])


def test_one_place_is_asked_where_the_question_tells_it(filled: SimpleNamespace) -> None:
    """By a primary key, or by whatever reference: objects are near each other."""
    tenant = filled.tenants[0]
    pk = next(iter(filled.held))
    c, person = filled.person.collection, filled.person(pk)
    for asked in (
        c(tenant=tenant),
        c(tenant=tenant.pk.get(), name="ann"),
        c(tenant=tenant).exclude(name="ann"),
        c(tenant=tenant, email="x"),
        c(email="x", tenant__in=[tenant]),
        c(boss=person),
        c(friends=pk),
        c(pk=pk),
        c(pk__in=[pk]) | c(boss=person),
        c(tenant=tenant) - c(name="ann"),
        tenant.person_set(age__gt=3),
        filled.order.collection(person=person),
        filled.visitor.collection(code="v1"),
    ):
        calls = asked.explain().calls()
        assert 1 == len({part.partition("}")[0] for call in calls for part in call[1:] if part.startswith("{")}), calls
        assert "; place {" in f"; {str(asked.explain()).partition(chr(10))[0].partition('; ')[2]}"
    several = {str(filled.tenants[number].pk.get()) for number in range(3)}
    calls = c(tenant__in=several).explain().calls()
    places = {part.partition("}")[0] for call in calls for part in call[1:] if part.startswith("{")}
    assert len({int(each) % COUNT for each in several}) == len(places)


def test_get_finds_one_of_all(filled: SimpleNamespace) -> None:
    pk = having(filled, lambda held: held["email"] == "e7")[0]
    assert filled.person(pk) == filled.person.get(email="e7")
    with pytest.raises(ArgumentError, match="match"):
        filled.person.get(name="ann")
    with pytest.raises(DoesNotExist):
        filled.person.get(email="nobody")
    assert filled.person.exists(name="ann")
    assert not filled.person.exists(email="nobody")


def test_what_is_watched_is_in_one_place(filled: SimpleNamespace) -> None:
    """A question over several is refused where it would have to be watched; one that names its place is not."""
    tenant = filled.tenants[0]
    expected = having(filled, lambda held: held["tenant"] == tenant.pk.get())
    refused = pytest.raises(CrossPlace, match=r"in 8 of its 8 places.*Way out: .*watch_reads=False")
    with Session(filled.db, watch_reads=True, on_pending="discard"), refused:
        len(filled.person.collection())
    with Session(filled.db, watch_reads=True, on_pending="discard"):
        assert expected == sorted(tenant.person_set(), key=int)
    with Session(filled.db):
        assert 60 == len(filled.person.collection())


@pytest.mark.parametrize("sort", ["none", "pk", "numbers", "two"])
@pytest.mark.parametrize("deletes", [False, True])
def test_over_pending_writes(filled: SimpleNamespace, sort: str, deletes: bool) -> None:
    """A session sees what it will commit, in one place or several, beside what is elsewhere; nothing is committed."""
    order = SORTS.get(sort, SORTS["pk"])
    held = {pk: dict(values) for pk, values in filled.held.items()}
    pks = list(held)
    with Session(filled.db, on_pending="discard") as s:
        for pk in pks[:1] if deletes else pks[:3]:
            filled.person(pk).age.hset(55)
            held[pk]["age"] = 55
        tenant = filled.tenants[1]
        if deletes:
            # What goes with it is planned, and a plan is of one place.
            dead = next(pk for pk in pks[1:] if int(pk) % COUNT == int(pks[0]) % COUNT)
            filled.person(dead).delete()
            del held[dead]
            tenant = held[pks[0]]["tenant"]
        new = filled.person(tenant=tenant, name="ann", age=8)
        held[new.pk.get()] = {"name": "ann", "age": 8, "tags": set()}
        for make, wanted in (FILTERS["all"], FILTERS["numbers"], FILTERS["one index"], FILTERS["exclude"]):
            expected = sorted(
                (pk for pk, values in held.items() if wanted(values)),
                key=lambda pk: order[1](pk, held[pk]),
                reverse=order[2],
            )
            c = make(filled.person.collection)
            if sort != "none":
                c = order[0](c)
                assert expected == list(c)
                assert expected[2:9] == c[2:9]
                assert [held[pk]["age"] for pk in expected] == list(c.values_list("age", flat=True))
            else:
                assert sorted(expected, key=int) == sorted(c, key=int)
            assert len(expected) == c.count()
            assert set(expected) == {each.pk.get() for each in c.copy().instances()}
        with pytest.raises(PendingWrites):
            filled.person.collection().store()
        s.rollback()


def test_what_explain_says(filled: SimpleNamespace) -> None:
    """How many places there are, on how many nodes, and how many rows may move; the calls of one of them."""
    shown = str(filled.person.collection(name="ann").sort().explain())
    head, *calls, last = shown.splitlines()
    nodes = len(filled.db._server._nodes) + 1 if filled.db._is_cluster else 1
    assert f"query: 1 round trip; 8 places on {nodes} node{'s' if nodes > 1 else ''}, one write each" in head
    assert "up to 8 * b" in head
    assert 1 == len(calls)
    assert "  ... and the same in 7 more places" == last


def test_what_pipelines_reply(filled: SimpleNamespace) -> None:
    """What is in one place goes along with the rest, what is in several is asked after it."""
    c = filled.person.collection
    anns = having(filled, lambda held: held["name"] == "ann")
    tenant = filled.person(anns[0]).tenant.instance()
    there = having(filled, lambda held: held["tenant"] == tenant.pk.get())
    ann_there = [pk for pk in there if pk in anns]
    with filled.db.pipeline() as pipeline:
        c(name="ann").sort()
        c(tenant=tenant).sort()
        c(tenant=tenant, name="ann")
        c(tenant=tenant).sort(by="name", alpha=True).values_list("pk", "name")
        c(pk=there[0]).values("age")
        c(tenant=tenant).intersect(anns)
        found = c(name="ann").sort().values_list("pk", flat=True)
        assert "place {" in str(pipeline.plan()).partition("\n")[0]
        replies = pipeline.execute()
    by_name = [(pk, filled.held[pk]["name"]) for pk in there]
    by_name.sort(key=lambda row: (row[1].encode(), int(row[0])))
    values = [{"age": filled.held[there[0]]["age"]}]
    replies[2].sort(key=int)
    replies[5].sort(key=int)
    assert [anns, there, ann_there, by_name, values, ann_there, anns] == replies
    assert anns == list(found)
    with filled.db.pipeline() as pipeline:
        for each in filled.tenants[:COUNT]:
            c(tenant=each)
        with pytest.raises(CrossPlace):
            pipeline.execute()
        pipeline.reset()


def test_pipelines_answer_after_what_they_write(server: Backend) -> None:
    """What is new in the place that is asked is found by all."""
    firm = declare(server, COUNT)
    before = firm.tenant(name="t")
    with firm.db.pipeline() as pipeline:
        tenant = firm.tenant(name="t")
        firm.tenant.collection(name="t").sort()
        person = firm.person(tenant=tenant, age=3)
        firm.person.collection(tenant=tenant, age__gt=2)
        replies = pipeline.execute()
    both = sorted((before.pk.get(), tenant.pk.get()), key=int)
    assert [tenant, both, person, [person.pk.get()]] == replies


# What is done to many.


def test_many_are_created_changed_and_deleted(server: Backend) -> None:
    """In batches, each of one place; in the order in which they were given."""
    firm = declare(server, COUNT)
    tenants = firm.tenant.create_many([{"name": f"t{number}"} for number in range(30)], batch=1)
    rows = [{"tenant": tenants[number * 7 % 30], "email": f"e{number}", "age": number} for number in range(50)]
    told: list[tuple[int, int]] = []
    people = firm.person.create_many(rows, batch=4, progress=lambda done, of: told.append((done, of)))
    assert [f"e{number}" for number in range(50)] == [each.email.hget() for each in people]
    assert (50, 50) == told[-1]
    assert all(later[0] > earlier[0] for earlier, later in itertools.pairwise(told))
    assert 25 == firm.person.collection(age__lt=25).update(name="young", batch=3)
    assert 25 == len(firm.person.collection(name="young"))
    assert 25 == firm.person.collection(name="young").delete(batch=2)
    assert [f"e{number}" for number in range(25, 50)] == firm.person.collection().sort(by="age").values_list(
        "email", flat=True
    )[:]
    assert 20 == len(firm.visitor.create_many([{"code": f"c{number}"} for number in range(20)]))


def test_get_or_connect_takes_a_place(server: Backend) -> None:
    """Where that another one is not there can be watched."""
    firm = declare(server, COUNT)
    tenant = firm.tenant(name="t")
    one, created = firm.person.get_or_connect(tenant=tenant, email="a")
    assert created
    assert (one, False) == firm.person.get_or_connect(tenant=tenant, email="a")
    assert firm.visitor.get_or_connect(code="x")[1]
    assert not firm.visitor.get_or_connect(code="x")[1]
    for name in "tu":
        with pytest.raises(ImplementationError, match="Way out"):
            firm.tenant.get_or_connect(name=name)
