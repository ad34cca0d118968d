"""Handles, contexts and sessions that meet: none sees, keeps or sends what is another's."""

import copy
import decimal
import pickle
import threading
from collections.abc import Iterator

import pytest

from tests.models import products
from tests.tools.backends import Backend
from uowredis import (
    Conflict,
    DoesNotExist,
    HashField,
    ImplementationError,
    InstanceHashField,
    RedisDatabase,
    RedisModel,
    Session,
    SessionError,
    StringField,
)


def model_on(database: RedisDatabase, name: str = "Bike") -> type[RedisModel]:
    fields = {
        "color": InstanceHashField(indexable=True),
        "weight": InstanceHashField(indexable=True),
        "wheels": StringField(),
        "parts": HashField(indexable=True),
    }
    return type(name, (RedisModel,), {"database": database, **fields})


@pytest.fixture
def database(server: Backend) -> Iterator[RedisDatabase]:
    with server.database() as database:
        yield database


def test_a_copy_is_a_handle_of_the_same_object(server: Backend, database: RedisDatabase) -> None:
    """Copies of any kind change one object, and its index once."""
    bike = model_on(database)(color="red")
    other = copy.deepcopy(bike)
    assert bike == other == copy.copy(bike)
    with Session(database) as s:
        bike.color.hset("blue")
        other.color.hset("green")
        s.commit()
    assert {b":bike:color:green"} == {key for key in server.dump() if key.startswith(b":bike:color:")}


class Pickled(RedisModel):
    """A model that pickle can find; moved to the server of the test."""

    database = RedisDatabase.embedded()
    color = InstanceHashField(indexable=True)


def test_an_instance_is_pickled_by_its_primary_key(database: RedisDatabase) -> None:
    """What comes back is a handle; an object that is not stored yet cannot be pickled."""
    Pickled.use_database(database)
    stored = Pickled(color="red")
    assert stored == pickle.loads(pickle.dumps(stored))
    with Session(database, on_pending="discard"), pytest.raises(TypeError, match="commit first"):
        pickle.dumps(Pickled(color="blue"))


def test_sessions_may_end_in_any_order(server: Backend) -> None:
    """A generator that holds a session of another database neither closes nor revives a session of its caller."""
    with server.database() as one, RedisDatabase.embedded() as two:
        bike, car = model_on(one), model_on(two, "Car")(wheels=4)

        def holding() -> Iterator[None]:
            with Session(one) as s:
                bike(wheels=2)
                yield
                bike(wheels=3)
                s.commit()

        with Session(two) as s:
            generator = holding()
            next(generator)
            car.wheels.set(5)
            assert [] == list(generator)
            car.wheels.set(6)
            assert 2 == len(s.pending)
            s.commit()
        assert "6" == car.wheels.get()
        assert {"1", "2"} == set(bike.collection())
        generator = holding()
        with Session(two) as s:
            next(generator)
            s.commit()
        list(generator)
        assert car.wheels.set(7) is True


def test_a_handle_found_in_a_session_shares_the_fate_of_what_it_found(server: Backend, database: RedisDatabase) -> None:
    """After a rollback no handle of an object made in the session writes anything."""
    bike = model_on(database)
    with Session(database) as s:
        made = bike(color="red")
        found = bike.get(color="red")
        (listed,) = bike.collection(color="red").instances()
        assert made == found == listed
        s.rollback()
    for handle in (made, found, listed):
        with pytest.raises(DoesNotExist):
            handle.wheels.set(2)
    assert [b":bike:max_pk"] == list(server.dump())


def test_an_object_of_an_open_session_is_refused_elsewhere(server: Backend, database: RedisDatabase) -> None:
    """A thread without the session can neither read, change, nor create what only the session holds."""
    bike = model_on(database)
    refused = []

    def elsewhere() -> None:
        for act in (made.wheels.get, lambda: made.wheels.set(3), made.pk.get, made.delete):
            with pytest.raises(SessionError):
                act()
            refused.append(act)

    with Session(database) as s:
        made = bike(wheels=2)
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert 4 == len(refused)
        assert {} == server.dump()
        s.commit()
    assert "2" == made.wheels.get()


def test_a_plan_is_not_sent_where_nothing_is_pending(database: RedisDatabase) -> None:
    """commit(plan) sends exactly the plan, or says that it does not."""
    bike = model_on(database)(wheels=2)
    with Session(database) as s:
        bike.wheels.set(3)
        plan = s.plan()
        s.rollback()
        with pytest.raises(Conflict):
            s.commit(plan)
        bike.wheels.set(3)
        s.commit(plan)
        with pytest.raises(Conflict):
            s.commit(plan)
    assert "3" == bike.wheels.get()


def test_placeholders_of_a_plan_are_different(database: RedisDatabase) -> None:
    """Each new object has a name of its own in a plan, also one that another session had named before."""
    bike = model_on(database)
    kept = bike()
    with Session(database) as s:
        kept.color.hset("red")
        s.rollback()
    with Session(database, on_pending="discard") as s:
        bike(color="blue")
        kept.color.hset("blue")
        hashes = [step.call[1] for step in s.plan() if step.call[1].endswith(":hash")]
    assert [":bike:<Bike 1>:hash", ":bike:<Bike 2>:hash"] == hashes


def test_float_sums_do_not_depend_on_the_callers_decimal_context(database: RedisDatabase) -> None:
    """An indexed field stores the exact sum, whatever precision and traps the caller works with."""
    bike = model_on(database)(weight="1234.5678")
    with decimal.localcontext() as context:
        context.prec = 3
        context.traps[decimal.Inexact] = True
        assert 1235.67891 == bike.weight.hincrbyfloat("1.11111")
    assert "1235.67891" == bike.weight.hget()


def test_large_integers_through_a_script(real: Backend) -> None:
    """A scripted commit answers with every digit, also beyond what Lua's numbers hold."""
    with real.database(max_watched=1) as database:
        bike = model_on(database)
        bikes = [bike(color="red", wheels=2**53) for _ in range(3)]
        with Session(database) as s:
            for each in bikes:
                each.color.hset("blue")
            counted = bikes[0].wheels.incr()
            s.commit()
        assert s.last_plan.scripted
        assert 2**53 + 1 == counted.result == int(bikes[0].wheels.get() or 0)


def test_a_model_does_not_move_under_an_open_session(database: RedisDatabase) -> None:
    """use_database() waits until the session of the old one is left."""
    bike = model_on(database)
    with Session(database), RedisDatabase.embedded() as other, pytest.raises(SessionError):
        bike.use_database(other)


def test_a_deletion_taken_back_leaves_the_handle_as_it_was(server: Backend, database: RedisDatabase) -> None:
    """A handle that was not looked up is still looked up before its first write."""
    bike = model_on(database)
    stored = bike(color="red")
    (handle,) = bike.collection(color="red").instances(lazy=True)
    with Session(database) as s:
        handle.delete()
        s.rollback()
    stored.delete()
    before = server.dump()
    with pytest.raises(DoesNotExist):
        handle.wheels.set(3)
    assert before == server.dump()


def test_another_handle_of_a_deleted_object_reads_what_will_be_there(database: RedisDatabase) -> None:
    """It answers nothing, as right after the commit; its writes are refused."""
    bike = model_on(database)
    one = bike(color="red")
    other = bike(one.pk.get())
    with Session(database) as s:
        one.delete()
        assert other.color.hget() is None
        with pytest.raises(DoesNotExist):
            other.color.hset("blue")
        s.commit()
    assert other.color.hget() is None


def test_a_primary_key_that_will_be_counted_is_known_when_it_is_asked_for(database: RedisDatabase) -> None:
    """Asking by primary key for what the session is about to create answers as after the commit."""
    bike = model_on(database)
    with Session(database) as s:
        bike(color="red")
        assert bike.exists(pk=1)
        bike(color="red")
        assert not bike.exists(pk=3)
        assert "2" in bike.collection(color="red")
        made = bike(color="blue")
        assert ["3"] == list(bike.collection().intersect([3, 4]))
        assert made == bike(3)
        s.commit()
    assert {"1", "2", "3"} == set(bike.collection())


def test_old_entries_that_share_an_index_key(server: Backend, database: RedisDatabase) -> None:
    """Removing an entry with ':' of older data leaves the index entry that another entry stands on."""
    bike = model_on(database)(parts={"a": "b:c"})
    with server.client() as client:
        client.hset(":bike:1:parts", "a:b", "c")
    assert 1 == bike.parts.hdel("a:b")
    assert type(bike).exists(parts__a="b:c")


def test_what_a_class_may_not_declare(database: RedisDatabase) -> None:
    """Patterns in a namespace, hidden fields, fields that come too late: refused when they are said."""
    base = model_on(database)
    with pytest.raises(ImplementationError, match="hide"):
        type("Hiding", (base,), {"color": None})
    with pytest.raises(ImplementationError, match="placeholder"):
        type("Starred", (base,), {"namespace": "a*b"})
    with pytest.raises(ImplementationError, match="too late"):
        base.later = StringField()
    mixed = type("Mixed", (type("Mixin", (), {"tag": StringField()}), base), {})
    assert "x" == mixed(tag="x").tag.get()


def test_a_primary_key_to_be_is_a_condition_like_any_other(server: Backend) -> None:
    """A new object gets its key where a query with other conditions asks for just that one."""
    product = products(server.database())
    product(code="a")
    with Session(product.database) as session:
        product(code="a")
        assert product.exists(pk="2", code="a")
        assert "2" == product.get(pk=2, code="a").pk.get()
        assert not product.exists(pk="2", code="b")
        session.commit()
    assert product.exists(pk="2", code="a")
