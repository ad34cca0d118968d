"""What is refused of sharded models names a way out, and each is taken here as it is named."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.cluster.shards import declare
from tests.tools.backends import Backend
from tests.tools.ways_out import Told, tries
from uowredis import (
    ArgumentError,
    AutoPKField,
    CrossPlace,
    ImplementationError,
    InstanceHashField,
    PKField,
    RedisModel,
    Session,
    SetField,
    UniquenessError,
)
from uowredis.contrib.indexes import EqualIndexWith
from uowredis.contrib.related import FKInstanceHashField, RelatedModel
from uowredis.indexes import EqualIndex
from uowredis.maintenance.rename import rename


def made(server: Backend, called: str = "Thing", /, **said: Any) -> Any:
    """Declare a model."""
    base = said.pop("base", RelatedModel)
    return type(called, (base,), {"database": said.pop("database", None) or server.database(), **said})


def two(firm: SimpleNamespace) -> tuple[Any, Any]:
    """Return two tenants in two places."""
    first = firm.tenant(name="a")
    other = firm.tenant(name="b")
    while int(first.pk.get()) % firm.count == int(other.pk.get()) % firm.count:
        other = firm.tenant(name="b")
    return first, other


@tries("The shards of {} are a number")
@pytest.mark.parametrize("shards", [0, -1, 16_385, "8", 2.0, True])
def test_a_number_that_cannot_be(told: Told, server: Backend, shards: Any) -> None:
    with told(ImplementationError) as caught:
        made(server, shards=shards)
    assert str(caught.value).endswith("Way out: shards = 1024")
    made(server, shards=1024)()


@tries("{} has a place and {}")
def test_a_place_and_shards(told: Told, server: Backend) -> None:
    spread = made(server, abstract=True, shards=4)
    with told(ImplementationError):
        made(server, base=spread, place="shop")
    assert "shop" == made(server, base=spread, place="shop", shards=None)._schema.keys.place
    assert 4 == made(server, base=spread)._schema.shards


@tries("{} is near what {} refers to, which is in")
def test_near_and_another_number(told: Told, server: Backend) -> None:
    firm = declare(server, 8)
    fields = {"tenant": FKInstanceHashField(firm.tenant), "near": "tenant", "database": firm.db, "namespace": "ns"}
    with told(ImplementationError):
        made(server, shards=4, **fields)
    assert 8 == made(server, **fields)._schema.shards


@tries("{} has no foreign key {} to be near to")
@pytest.mark.parametrize("near", ["nothing", "name", "friends", 3])
def test_near_nothing(told: Told, server: Backend, near: Any) -> None:
    firm = declare(server)
    fields = {"name": InstanceHashField(), "friends": SetField(), "tenant": FKInstanceHashField(firm.tenant)}
    with told(ImplementationError):
        made(server, database=firm.db, near=near, **fields)
    thing = made(server, database=firm.db, near="tenant", **fields)
    assert thing(tenant=firm.tenant(name="t")).tenant.hget()


@tries("{} refers to {}, which is not declared yet")
def test_near_what_comes_later(told: Told, server: Backend) -> None:
    database = server.database()
    with told(ImplementationError):
        made(server, database=database, near="tenant", tenant=FKInstanceHashField("Tenant"))
    made(server, "Tenant", database=database, shards=4)
    thing = made(server, database=database, near="tenant", tenant=FKInstanceHashField("Tenant"))
    assert 4 == thing._schema.shards


@tries("{} would be near {}, which is not sharded")
def test_near_what_is_not_sharded(told: Told, server: Backend) -> None:
    database = server.database()
    owner = made(server, "Owner", database=database)
    with told(ImplementationError):
        made(server, database=database, near="owner", owner=FKInstanceHashField(owner))
    spread = made(server, "Spread", database=database, shards=4)
    assert 4 == made(server, database=database, near="owner", owner=FKInstanceHashField(spread))._schema.shards
    placed = made(server, "Placed", database=database, place="shop")
    thing = made(server, "Beside", database=database, place="shop", owner=FKInstanceHashField(placed))
    assert thing(owner=placed()).owner.hget()


@tries("{} chooses its primary keys, and would be near {}")
def test_chosen_near_counted(told: Told, server: Backend) -> None:
    firm = declare(server)
    with told(ImplementationError):
        made(server, database=firm.db, near="t", t=FKInstanceHashField(firm.tenant), code=PKField())
    counted = made(server, "One", database=firm.db, near="t", t=FKInstanceHashField(firm.tenant), code=AutoPKField())
    assert counted(t=firm.tenant(name="t")).t.hget()
    chosen = made(server, "Other", database=firm.db, near="t", t=FKInstanceHashField(firm.visitor), code=PKField())
    visitor = firm.visitor(code="acme")
    assert "acme" == chosen(code="{acme}:1", t=visitor).t.hget()
    with pytest.raises(CrossPlace):
        for number in range(50):
            chosen(code=f"x{number}", t=visitor)


@tries("{}.{} would be unique over")
def test_unique_over_places(told: Told, server: Backend) -> None:
    firm = declare(server)
    with told(ImplementationError):
        made(server, shards=4, email=InstanceHashField(unique=True))
    chosen = made(server, shards=4, email=PKField())
    chosen(email="a")
    with pytest.raises(UniquenessError):
        chosen(email="a")
    together = EqualIndexWith.configure(other_fields=["tenant"], unique=True)
    near = made(
        server,
        "Near",
        database=firm.db,
        near="tenant",
        tenant=FKInstanceHashField(firm.tenant),
        email=InstanceHashField(indexable=True, indexes=[EqualIndex, together]),
    )
    one, other = two(firm)
    near(tenant=one, email="a")
    near(tenant=other, email="a")
    with pytest.raises(UniquenessError):
        near(tenant=one, email="a")
    placed = made(server, "Placed", place="shop", email=InstanceHashField(unique=True))
    placed(email="a")
    with pytest.raises(UniquenessError):
        placed(email="a")


@tries("A new {} is where its {} is, which {}")
def test_near_without_an_object(told: Told, server: Backend) -> None:
    firm = declare(server)
    tenant = firm.tenant(name="t")
    with told(ArgumentError):
        firm.person(name="ann")
    ann = firm.person(name="ann", tenant=tenant)
    with told(ArgumentError):
        firm.person(name="bob", tenant=ann.tenant)
    bob = firm.person(name="bob", tenant=ann.tenant.hget())
    assert tenant == bob.tenant.instance()


@tries("{}.{} would refer to {}, which is in")
def test_a_reference_to_another_place(told: Told, server: Backend) -> None:
    firm = declare(server)
    one, other = two(firm)
    ann, bob = firm.person(tenant=one), firm.person(tenant=other)
    with told(CrossPlace):
        ann.boss.set(bob)
    ann.boss.set(firm.person(tenant=one))
    note = made(server, database=firm.db, shards=firm.count, about=InstanceHashField(indexable=True))
    kept = note(about=bob.pk.get())
    assert [kept] == list(note.collection(about=bob.pk.get()).instances())


@tries("What is asked of {} is in")
def test_a_question_that_is_watched(told: Told, server: Backend) -> None:
    firm = declare(server)
    tenant = firm.tenant(name="t")
    ann = firm.person(tenant=tenant, name="ann")
    with Session(firm.db, watch_reads=True, on_pending="discard"), told(CrossPlace):
        len(firm.person.collection(name="ann"))
    with Session(firm.db, watch_reads=True) as s:
        assert [ann] == list(firm.person.collection(name="ann", tenant=tenant).instances())
        assert [ann] == list(firm.person.collection(name="ann", pk=ann).instances())
        s.commit()
    with Session(firm.db, watch_reads=False) as s:
        assert [ann] == list(firm.person.collection(name="ann").instances())
        s.commit()


@tries("{} is declared with {} shards, and its data is in")
def test_another_layout(told: Told, server: Backend) -> None:
    firm = declare(server, 8)
    tenant = firm.tenant(name="t")
    with told(ImplementationError) as caught:
        declare(server, 9).tenant(tenant.pk.get())
    assert "Way out: shards = 8;" in str(caught.value)
    assert "t" == declare(server, 8).tenant(tenant.pk.get()).name.hget()


@tries("{}.get_or_connect() watches that no other is there")
def test_get_or_connect_anywhere(told: Told, server: Backend) -> None:
    firm = declare(server)
    with told(ImplementationError) as caught:
        firm.person.get_or_connect(name="ann")
    assert "tenant=..." in str(caught.value)
    tenant = firm.tenant(name="t")
    assert firm.person.get_or_connect(name="ann", tenant=tenant)[1]
    with told(ImplementationError) as caught:
        firm.visitor.get_or_connect(name="ann")
    assert "code=... of a PKField" in str(caught.value)
    assert firm.visitor.get_or_connect(code="x", defaults={"name": "ann"})[1]


@tries("{} is sharded, and rename()")
def test_a_rename(told: Told, server: Backend) -> None:
    class Thing(RedisModel):
        database = server.database()
        shards = 4
        name = InstanceHashField(indexable=True)

    thing = Thing(name="a")
    with told(ImplementationError):
        rename(Thing, "name", "called")
    fields = {"called": InstanceHashField(indexable=True, stored_as="name"), "shards": 4}
    other = type("Thing", (RedisModel,), {"database": server.database(), **fields})
    assert "a" == other(thing.pk.get()).called.hget()


@tries("{} is indexed in each of")
def test_the_key_of_an_index(told: Told, server: Backend) -> None:
    firm = declare(server)
    with told(ImplementationError):
        firm.person.get_field("name").get_index().get_storage_key("ann")
    calls = firm.person.collection(name="ann").explain().calls()
    assert firm.count == len({call[1] for call in calls})
    assert all(call[1].endswith(":ns:person:name:ann") for call in calls)
