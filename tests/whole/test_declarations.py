"""A declaration that is not the one that the data was written with: it is told, and no answer lacks what it should."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contrib.pipelines.models import on
from tests.models import every_kind
from tests.tools.backends import Backend, Real
from tests.tools.meanwhile import meanwhile
from tests.tools.monitor import Monitor
from tests.tools.proxy import Proxy
from tests.tools.servers import RealServer
from uowredis import (
    Conflict,
    DeclarationChanged,
    IndexNotReady,
    InstanceHashField,
    PKField,
    RedisDatabase,
    RedisModel,
    Session,
    SetField,
    StringField,
    check,
    rebuild,
    rename,
    repair,
)
from uowredis.cli import main
from uowredis.contrib.related import FKInstanceHashField, RelatedModel
from uowredis.executor.urls import read

PLAIN: dict[str, Any] = {"color": InstanceHashField(), "name": InstanceHashField()}
FULL: dict[str, Any] = {"color": InstanceHashField(indexable=True), "name": InstanceHashField(unique=True)}


def bike(server: Backend, fields: dict[str, Any], **options: Any) -> Any:
    """Declare the bike in a process of its own, so to say."""
    return type("Bike", (RedisModel,), {"database": server.database(**options), **fields})


def fingerprint(server: Backend, model: str = "bike") -> dict[bytes, bytes]:
    """Return the fingerprint, read by the server's own client."""
    return server.client().hgetall(f":{model}:__fingerprint__")  # type: ignore[return-value]


def done(mended: Iterator[Any]) -> list[str]:
    """Return what was done, in words."""
    return [each.plan.title for each in mended]


@pytest.fixture
def late(server: Backend) -> Any:
    """A bike that declares indexes on data that was written without."""
    bike(server, PLAIN)(color="red", name="x")
    model = bike(server, FULL)
    with pytest.warns(RuntimeWarning, match=r"color \(its index is new\), name \(its index is new\)") as told:
        model(1)
    assert [__file__] == [each.filename for each in told]
    return model


def test_the_first_object_writes_it(server: Backend) -> None:
    """All that is declared, in the same transaction; the next ones have nothing to do with it."""
    thing = every_kind(server.database(), indexed=True).Thing
    with Session(thing.database) as session:
        thing(title="a")
        thing(title="b")
        assert ["effect: fingerprint of Thing: its first object"] == [
            step.reason for step in session.plan() if "fingerprint" in step.reason
        ]
        session.commit()
    expected = {field.stored.encode(): field.kind.value.encode() for field in thing._schema.fields.values()}
    found = fingerprint(server, "thing")
    assert expected | {b"pk": b"auto"} == {name: text.split()[0] for name, text in found.items()}
    assert b"string unique equal:ready" == found[b"code"]
    assert b"set equal:ready" == found[b"tags"]
    for again in (thing, every_kind(server.database(), indexed=True).Thing):
        with Session(again.database) as session:
            again(title="c")
            assert [] == [step for step in session.plan() if "fingerprint" in step.reason]
            session.commit()


def test_it_is_read_once_and_in_no_round_trip_of_its_own(real: Real) -> None:
    """Also where the first use is a query, a single read, or a session."""
    bike(real, FULL)(color="red", name="x")
    uses: list[Callable[[Any], object]] = [
        lambda model: list(model.collection(color="red")),
        lambda model: model._handle("1").color.hget(),
        lambda model: model._handle("1").color.hset("red"),
        lambda model: model(color="blue", name="y"),
    ]
    for first in uses:
        model = bike(real, FULL)
        with Monitor(real.server) as seen:
            first(model)
        assert 1 == sum(command[:2] == (b"HGETALL", b":bike:__fingerprint__") for command in seen)
        assert 1 < len(seen)
        with Monitor(real.server) as seen:
            for use in uses[:3]:
                use(model)
        assert [] == [command for command in seen if b":bike:__fingerprint__" in command]
        if model.exists(name="y"):
            model.get(name="y").delete()


def queries(model: Any) -> dict[str, Callable[[], object]]:
    """Return what stands on the indexes of the bike."""

    def in_a_session() -> None:
        with Session(model.database, on_pending="discard"):
            model._handle("1").name.hset("y")
            list(model.collection(color="red", name="y"))

    def commit() -> None:
        with Session(model.database, on_pending="discard") as session:
            model(name="z")
            session.commit()

    return {
        "collection": lambda: list(model.collection(color="red")),
        "count": lambda: len(model.collection(color="red")),
        "sorted": lambda: list(model.collection(color="red").sort(by="name", alpha=True)[:1]),
        "exists": lambda: model.exists(name="x"),
        "get": lambda: model.get(color="red"),
        "get or connect": lambda: model.get_or_connect(name="x"),
        "a unique value": lambda: model(name="x"),
        "in a session": in_a_session,
        "a unique value in a session": commit,
    }


@pytest.mark.parametrize("query", list(queries(None)))
def test_a_query_on_an_index_that_is_not_ready(late: Any, server: Backend, query: str) -> None:
    """It raises, and nothing is written; as soon as a rebuild is done, whoever did it, it answers."""
    before = server.dump()
    for _ in range(2):
        with pytest.raises(IndexNotReady, match=r"Bike\.(color|name) .*uowredis rebuild .*:Bike\.(color|name)"):
            queries(late)[query]()
        counted = {key: value for key, value in server.dump().items() if key != b":bike:max_pk"}
        assert {key: value for key, value in before.items() if key != b":bike:max_pk"} == counted
    for _ in rebuild(bike(server, FULL, changed="ignore")):
        pass
    if "unique" not in query:
        queries(late)[query]()
    assert ["1"] == list(late.collection(color="red"))


def test_what_stands_on_no_index_goes_on(late: Any) -> None:
    """Objects by primary key, what they hold, and writes that claim nothing."""
    one = late(1)
    assert "red" == one.color.hget()
    one.color.hset("blue")
    assert ["1"] == list(late.collection())
    assert ["2"] == [late(color="green").pk.get()]


def test_a_pipeline(server: Backend) -> None:
    """Whose queries are answered inside the transaction."""
    bike(server, PLAIN)(color="red", name="x")
    database = on(server)
    model = type("Bike", (RedisModel,), {"database": database, **FULL})

    def ask() -> list[Any]:
        with database.pipeline() as pipeline:
            model.collection(color="red")
            return pipeline.execute()

    with pytest.warns(RuntimeWarning, match="color"), pytest.raises(IndexNotReady, match=r"Bike\.color"):
        ask()
    for _ in rebuild(model):
        pass
    assert [["1"]] == [list(found) for found in ask()]


def test_raised_at_each_use_until_it_is_mended(server: Backend) -> None:
    """Nothing is answered, nothing is written."""
    bike(server, PLAIN)(color="red", name="x")
    model = bike(server, FULL, changed="raise")
    before = server.dump()
    for use in (lambda: model(1), lambda: model(color="blue"), lambda: list(model.collection()), lambda: model.get(1)):
        with pytest.raises(DeclarationChanged, match=r"color \(its index is new\).*uowredis rebuild"):
            use()
    before[b":bike:max_pk"] = ("string", b"2")
    assert before == server.dump()
    for _ in rebuild(model):
        pass
    assert ["1"] == list(model.collection(color="red"))


def test_ignored(server: Backend) -> None:
    """A query answers what the index has."""
    bike(server, PLAIN)(color="red", name="x")
    model = bike(server, FULL, changed="ignore")
    assert [] == list(model.collection(color="red"))
    assert not model.exists(name="x")


LESS: dict[str, Callable[[Any], object]] = {
    "a deletion": lambda model: model(1).delete(),
    "a write": lambda model: model(1).color.hset("blue"),
    "a bare write": lambda model: model._handle("1").color.hset("blue"),
    "a creation": lambda model: model(color="red"),
}


@pytest.mark.parametrize("way", LESS)
@pytest.mark.parametrize("less", [PLAIN, {"name": InstanceHashField()}], ids=["no index", "no field"])
def test_an_index_that_is_dropped_and_brought_back(server: Backend, way: str, less: dict[str, Any]) -> None:
    """Who writes without it says so, in the same transaction; who declares it again learns of it."""
    bike(server, FULL)(color="red", name="x")
    without = bike(server, less)
    without(1).name.hget()
    list(without.collection())
    assert b"entry equal:ready" == fingerprint(server)[b"color"]
    if "color" not in less and way != "a deletion":
        return
    LESS[way](without)
    assert [b"entry equal:left"] * 2 == [fingerprint(server)[name] for name in (b"color", b"name")]
    again = bike(server, FULL)
    with pytest.warns(RuntimeWarning, match="out of date"), pytest.raises(IndexNotReady):
        again.exists(color="red")
    for _ in rebuild(again):
        pass
    assert sorted(pk for pk in again.collection() if again(pk).color.hget() == "red") == sorted(
        again.collection(color="red")
    )
    assert b"entry unique equal:ready" == fingerprint(server)[b"name"]


def test_unique_that_comes_later(server: Backend) -> None:
    """Its index is there: who takes a value that is taken is refused, what was there before is told to be looked at."""
    indexed = {"name": InstanceHashField(indexable=True)}
    model = bike(server, indexed)
    model(name="x")
    model(name="x")
    unique = bike(server, {"name": InstanceHashField(unique=True)})
    with pytest.warns(RuntimeWarning, match="it is unique here, and was not"):
        assert unique.exists(name="x")
    (told,) = [str(left) for each in rebuild(unique) for left in each.left]
    assert "'x' of Bike.name is held by 1, 2" in told
    assert b"entry unique equal:ready" == fingerprint(server)[b"name"]
    bike(server, indexed)(name="y")
    assert b"entry equal:ready" == fingerprint(server)[b"name"]


def test_a_field_of_another_kind(server: Backend) -> None:
    """What was stored is not read by it."""
    bike(server, {"name": InstanceHashField()})(name="x")
    with pytest.warns(RuntimeWarning, match=r"name \(it is of kind 'string' here, and was stored as 'entry'\)"):
        bike(server, {"name": StringField()})(1)


def test_data_without_a_fingerprint_is_taken_as_it_is(server: Backend) -> None:
    """That of redis-limpyd, say: until a rebuild or a repair has come to its end."""
    model = bike(server, FULL)
    model(color="red", name="x")
    client = server.client()
    client.delete(":bike:__fingerprint__")
    for _ in range(2):
        model = bike(server, FULL)
        assert ["1"] == list(model.collection(color="red"))
        model(color="blue")
        assert {} == fingerprint(server)
    assert ["fingerprint of Bike: indexes are ready"] == done(rebuild(model, "color"))
    assert {b"pk": b"auto", b"color": b"entry equal:ready", b"name": b"entry unique equal:ready"} == fingerprint(server)
    client.delete(":bike:__fingerprint__")
    assert ["fingerprint of Bike: indexes are ready"] == done(repair(model))
    assert [] == done(repair(model))
    assert [] == list(check(model))


def test_of_two_first_objects_one_writes_it(server: Backend) -> None:
    """The other finds it, also where it declares less: what it leaves out is not ready."""
    full, plain = bike(server, FULL), bike(server, PLAIN)
    with Session(full.database) as session:
        full(color="red", name="x")
        shown = session.plan()
        plain(color="red", name="x")
        with pytest.warns(RuntimeWarning, match="its index is new"), pytest.raises(IndexNotReady, match="name"):
            session.commit(shown)
        session.rollback()
    assert b"entry" == fingerprint(server)[b"color"]
    other = bike(server, FULL)
    with pytest.warns(RuntimeWarning, match="its index is new"), pytest.raises(IndexNotReady):
        list(other.collection(color="red"))


def test_what_is_known_of_one_server_is_not_of_another(real: Real, twin: Real) -> None:
    """After ``connect()`` the next question looks anew, also one that was asked of the former server."""
    bike(twin, PLAIN)(color="red", name="x")
    full = bike(real, FULL)
    full(color="red", name="x")
    assert ["1"] == list(full.collection(color="red"))
    full.database.connect(host=twin.server.host, port=twin.server.port)
    with pytest.warns(RuntimeWarning, match="its index is new"), pytest.raises(IndexNotReady):
        list(full.collection(color="red"))


def test_another_first_object_between_plan_and_exec(real: Real, proxy: Proxy, how: str) -> None:
    """Whoever comes second is planned again, and lets stand what the first has written."""
    with RedisDatabase.from_url(proxy.url, max_watched=0 if how == "script" else 1_000) as database:
        full = type("Bike", (RedisModel,), {"database": database, **FULL})
        with Session(database) as session:
            full(color="red", name="x")
            with (
                meanwhile(proxy, how, lambda plain: plain(color="blue"), bike(real, PLAIN)),
                pytest.warns(RuntimeWarning, match="its index is new"),
                pytest.raises(IndexNotReady, match="name"),
            ):
                session.commit()
            session.rollback()
    assert b"entry" == fingerprint(real)[b"color"]
    assert 1 == real.client().scard(":bike:collection")


def test_another_server_is_asked_anew(real: Real, second_server: RealServer) -> None:
    """What one server has says nothing of another, though the database is the same."""
    model = bike(real, FULL)
    model(color="red", name="x")
    with second_server.client() as client:
        client.flushdb()
    other = type("Bike", (RedisModel,), {"database": RedisDatabase.from_url(second_server.url), **PLAIN})
    other(color="red", name="x")
    other.database.close()
    model.database.connect(**read(second_server.url))
    with pytest.warns(RuntimeWarning, match="its index is new"), pytest.raises(IndexNotReady):
        model.exists(color="red")


def test_a_rebuild_that_was_broken_off(late: Any, server: Backend) -> None:
    """It says so; who declares less and writes meanwhile takes the word back."""
    turns = rebuild(late)
    next(turns)
    assert b"entry equal:building" == fingerprint(server)[b"color"]
    turns.close()  # type: ignore[attr-defined]
    with pytest.raises(IndexNotReady):
        list(late.collection(color="red"))
    turns = rebuild(late)
    next(turns)
    bike(server, PLAIN)(color="red")
    with pytest.raises(Conflict, match=r"color, name of Bike: somebody who declares no such index wrote meanwhile"):
        list(turns)
    with pytest.raises(IndexNotReady):
        list(late.collection(color="red"))
    for _ in rebuild(late):
        pass
    assert ["1", "2"] == list(late.collection(color="red").sort(by="pk"))


def test_one_field_is_rebuilt(late: Any, server: Backend) -> None:
    """The others are what they were."""
    for _ in rebuild(late, "color"):
        pass
    assert ["1"] == list(late.collection(color="red"))
    with pytest.raises(IndexNotReady):
        late.exists(name="x")
    found = fingerprint(server)
    assert (b"entry equal:ready", b"entry") == (found[b"color"], found[b"name"])


def test_a_check_tells_and_a_repair_mends(late: Any, server: Backend) -> None:
    """Beside the entries that are missing; a dry run says what it would do."""
    faults = [finding.fault for finding in check(late)]
    assert ["missing entry", "missing entry", "declaration changed"] == faults
    assert "fingerprint of Bike: indexes are ready" in done(repair(late, dry_run=True))
    assert b"entry" == fingerprint(server)[b"color"]
    assert "fingerprint of Bike: indexes are ready" in done(repair(late))
    assert [] == list(check(late))


def test_a_field_that_is_renamed_takes_its_state_with_it(server: Backend) -> None:
    """Who declares the new name has nothing to rebuild."""
    model = bike(server, FULL)
    model(color="red", name="x")
    rename(model, "color", "paint")
    assert b"entry equal:ready" == fingerprint(server)[b"paint"]
    assert b"color" not in fingerprint(server)
    renamed = bike(server, {**FULL, "color": InstanceHashField(indexable=True, stored_as="paint")})
    assert ["1"] == list(renamed.collection(color="red"))


def test_what_follows_from_a_deletion_stands_on_the_index_of_those_that_refer(server: Backend) -> None:
    """Though nobody has spoken of them in this process."""

    def models(indexed: bool) -> Any:
        database = server.database()
        person = type("Person", (RelatedModel,), {"database": database, "name": InstanceHashField()})
        fields: dict[str, Any] = {"owner": FKInstanceHashField("Person") if indexed else InstanceHashField()}
        return person, type("Group", (RelatedModel,), {"database": database, **fields})

    person, group = models(False)
    group(owner=person(name="a").pk.get())
    person, group = models(True)
    with pytest.warns(RuntimeWarning, match="Group"), pytest.raises(IndexNotReady, match=r"Group\.owner"):
        person(1).delete()
    for _ in rebuild(group):
        pass
    person(1).delete()
    assert group(1).owner.hget() is None


def test_what_refers_to_a_model_and_is_declared_after_its_first_use(server: Backend) -> None:
    """The index of one that refers to it is looked at before a deletion stands on it, also where it came late."""
    first = server.database()
    pk = type("Author", (RelatedModel,), {"database": first})().pk.get()
    type("Book", (RelatedModel,), {"database": first, "author": InstanceHashField()})(author=pk)
    now = server.database(changed="raise")
    author = type("Author", (RelatedModel,), {"database": now})
    assert [pk] == list(author.collection())
    type("Book", (RelatedModel,), {"database": now, "author": FKInstanceHashField(author)})
    with pytest.raises(DeclarationChanged, match=r"author \(its index is new\)"):
        author(pk).delete()
    assert [pk] == list(author.collection())


def test_a_model_with_a_chosen_primary_key_and_no_field(server: Backend) -> None:
    """It has a fingerprint, too."""
    shop = type("Shop", (RedisModel,), {"database": server.database(), "code": PKField()})
    shop(code="a")
    assert {b"pk": b"chosen"} == fingerprint(server, "shop")


def test_fields_with_many_values(server: Backend) -> None:
    """Their indexes are no others."""
    bike(server, {"tags": SetField()})(tags=["a"])
    model = bike(server, {"tags": SetField(indexable=True)})
    with pytest.warns(RuntimeWarning, match="tags"), pytest.raises(IndexNotReady):
        model.exists(tags="a")


def test_a_wrong_word(server: Backend) -> None:
    """It is refused at once."""
    with pytest.raises(ValueError, match=r"changed=\.\.\.\) takes 'raise', 'warn' or 'ignore', not 'tell'"):
        server.database(changed="tell")


def test_a_warning_made_an_error_changes_nothing(server: Backend) -> None:
    """Where warnings are errors the first use raises, and the next ones go on as warned."""
    bike(server, PLAIN)(color="red", name="x")
    model = bike(server, FULL)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning):
            model(1)
        model(1)
        with pytest.raises(IndexNotReady):
            model.exists(color="red")


def test_the_command_line(late: Any, server: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    """A rebuild says what it says in Redis."""
    globals()["Late"] = late
    try:
        assert 0 == main(["rebuild", f"{__name__}:Late"])
    finally:
        del globals()["Late"]
    assert "fingerprint of Bike: indexes are ready" in capsys.readouterr().out
