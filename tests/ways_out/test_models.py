"""What models and databases refuse names a way out, and each is taken here as it is named."""

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from tests.models import words
from tests.session.doors import Stock
from tests.tools.backends import Backend, Real
from tests.tools.proxy import Proxy
from tests.tools.ways_out import Told, tries
from uowredis import (
    ArgumentError,
    ArgumentTypeError,
    AutoPKField,
    ImplementationError,
    InstanceHashField,
    OutcomeUnknown,
    PKField,
    RedisDatabase,
    RedisModel,
    Session,
    SessionError,
    StringField,
    UowError,
)


class Tree(RedisModel):
    """Declared in a module, so that its objects can be pickled."""

    database = RedisDatabase.embedded()
    name = StringField()


@pytest.fixture
def tree_model(server: Backend) -> Iterator[Any]:
    """That model, on the server of the test."""
    before = Tree.database
    Tree.use_database(server.database())
    yield Tree
    Tree.use_database(before)


@pytest.fixture
def on(server: Backend) -> RedisDatabase:
    return server.database()


def declared(name: str, on: Any = None, /, *, bases: tuple[type, ...] = (RedisModel,), **body: Any) -> Any:
    """Declare a model in a module of its own."""
    where = {"__module__": f"module_of_{name}", **({} if on is None else {"database": on})}
    return type(RedisModel)(name, bases, where | body)


# Declarations.


@tries("{} cannot have a field named {}")
@pytest.mark.parametrize("wrong", ["hash", "delete", "a__b", "cls"])
def test_a_name_of_a_field(told: Told, on: RedisDatabase, wrong: str) -> None:
    with told(ImplementationError):
        declared("Bike", on, **{wrong: StringField()})
    assert "x" == declared("Bike", on, other=StringField())(other="x").other.get()


@tries("{} cannot be stored as {}: {}. Way out: another name, or none")
def test_a_stored_name_of_a_model(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        declared("Bike", on, stored_as="a:b", name=StringField())
    assert ":velo:1:name" == declared("Bike", on, stored_as="velo", name=StringField())(name="x").name.key
    assert ":car:1:name" == declared("Car", on, name=StringField())(name="x").name.key


@tries("{}.{} cannot be stored as {}: {}. Way out", "model/")
def test_a_stored_name_of_a_field(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        declared("Bike", on, name=StringField(stored_as="a:b"))
    assert ":bike:1:n" == declared("Bike", on, name=StringField(stored_as="n"))(name="x").name.key


@tries("{} is abstract and has no objects")
def test_an_abstract_model(told: Told, on: RedisDatabase) -> None:
    base = declared("Base", on, abstract=True, name=StringField())
    with told(ImplementationError):
        base(name="x")
    assert "x" == declared("Bike", bases=(base,))(name="x").name.get()


@tries("{}.{} would hide the field of that name")
def test_a_hidden_field(told: Told, on: RedisDatabase) -> None:
    base = declared("Base", on, abstract=True, name=StringField())
    with told(ImplementationError):
        declared("Bike", bases=(base,), name="x")
    assert "x" == declared("Bike", bases=(base,), label="x")(name="y").label


@tries("{} has {} primary keys: {}")
def test_two_primary_keys(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        declared("Bike", on, one=PKField(), two=PKField())
    assert "x" == declared("Bike", on, one=PKField())(one="x").pk.get()


@tries("{}.{} comes too late")
def test_a_field_that_comes_late(told: Told, on: RedisDatabase) -> None:
    bike = declared("Bike", on, name=StringField())
    with told(ImplementationError):
        bike.size = StringField()
    assert "28" == declared("Large", bases=(bike,), size=StringField())(size="28").size.get()


@tries("{} needs a database, a RedisDatabase")
def test_no_database(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError):
        declared("Bike", name=StringField())
    assert "x" == declared("Bike", on, name=StringField())(name="x").name.get()
    base = declared("Base", abstract=True, name=StringField())
    assert "x" == declared("Car", on, bases=(base,))(name="x").name.get()


@tries("The namespace of {} is text")
def test_a_namespace(told: Told, on: RedisDatabase) -> None:
    with told(ImplementationError) as caught:
        declared("Bike", on, namespace=7, name=StringField())
    assert str(caught.value).endswith("Way out: namespace = '7'")
    assert "7:bike:1:name" == declared("Bike", on, namespace="7", name=StringField())(name="x").name.key


@tries("A model named {} in namespace {} is already")
def test_a_name_twice(told: Told, on: RedisDatabase) -> None:
    declared("Bike", on)
    with told(ImplementationError):
        declared("Bike", on, __module__="elsewhere")
    declared("Velo", on, __module__="elsewhere")
    declared("Bike", on, __module__="elsewhere", namespace="other")


@tries("{}.{} and {}.{} are both stored under {}")
def test_a_stored_name_twice(told: Told, on: RedisDatabase) -> None:
    declared("Bike", on, stored_as="b")
    with told(ImplementationError):
        declared("Boat", on, stored_as="b")
    declared("Boat", on, stored_as="boat")


@tries("Keys of {}.{} and of {}.{} may meet")
def test_keys_that_meet(told: Told, on: RedisDatabase) -> None:
    declared("Shop", on, key=PKField())
    with told(ImplementationError):
        declared("Bike", on, namespace=":shop")
    declared("Bike", on, namespace="shop")


# Objects.


@tries("{} has no field {}. Way out", "model/")
def test_no_such_field(told: Told, stock: Stock) -> None:
    with told(ArgumentError) as caught:
        stock.Product(nmae="x")
    assert "Way out: it has pk, name, kind" in str(caught.value)
    assert "x" == stock.Product(name="x").name.hget()


@tries("{}.{} is an AutoPKField and cannot be given")
def test_a_counted_primary_key(told: Told, on: RedisDatabase) -> None:
    bike = declared("Bike", on, id=AutoPKField(), name=StringField())
    with told(ArgumentError) as caught:
        bike(id=1, name="x")
    assert "Way out: leave it out, Bike(1) to get that object, or declare a PKField" in str(caught.value)
    bike(name="x")
    assert "x" == bike(1).name.get()
    assert "7" == declared("Chosen", on, id=PKField(), name=StringField())(id=7, name="x").pk.get()


@tries("{} needs its primary key {} (a PKField){}")
def test_no_primary_key(told: Told, on: RedisDatabase) -> None:
    word = words(on)
    with told(ArgumentError) as caught:
        word(kind="x")
    assert str(caught.value).endswith("Way out: Word(key=..., ...)")
    assert "w" == word(key="w", kind="x").pk.get()


@tries("The primary key of {} cannot be {}")
@pytest.mark.parametrize("wrong", ["", "collection", "lock-for-update:x", "kind"])
def test_a_primary_key_that_cannot_be(told: Told, on: RedisDatabase, wrong: str) -> None:
    with told(ArgumentError):
        words(on)(key=wrong)
    assert "w" == words(on)(key="w").pk.get()


@tries("{} takes one primary key, or fields by name")
def test_both(told: Told, stock: Stock) -> None:
    with told(ArgumentError):
        stock.Product("1", name="x")
    assert "bread" == stock.Product("1").name.hget()
    assert "x" == stock.Product(name="x").name.hget()


@tries("{} has no field {} to assign to")
def test_assigned(told: Told, on: RedisDatabase) -> None:
    class Bike(RedisModel):
        database = on
        name = StringField()
        seen: int

    bike = Bike(name="x")
    with told(AttributeError):
        bike.nmae = "y"  # type: ignore[attr-defined]
    bike.name.set("y")
    bike.seen = 1
    bike._seen = 2  # type: ignore[attr-defined]
    assert ("y", 1, 2) == (bike.name.get(), bike.seen, bike._seen)  # type: ignore[attr-defined]


@tries("{} is not in Redis yet and cannot be pickled")
def test_a_pickle_of_a_new_object(told: Told, tree_model: Any) -> None:
    with Session(tree_model.database) as session:
        tree = tree_model(name="x")
        with told(TypeError):
            pickle.dumps(tree)
        session.commit()
    assert tree == pickle.loads(pickle.dumps(tree))


@tries("{} cannot be pickled: nobody finds it inside a function")
def test_a_pickle_of_a_model_in_a_function(told: Told, stock: Stock, tree_model: Any) -> None:
    for model in (stock.Product, tree_model):
        with Session(model.database, on_pending="discard") as session:
            model(name="x")
            if model is tree_model:
                assert f"{session.pending}" == f"{pickle.loads(pickle.dumps(session.pending))}"
                continue
            with told(TypeError):
                pickle.dumps(session.pending)


@tries("{} cannot move while a session of its database is open")
def test_moved(told: Told, server: Backend, stock: Stock) -> None:
    there = server.database()
    with Session(stock.database), told(SessionError):
        stock.Product.use_database(there)
    stock.Product.use_database(there)
    assert there is stock.Product.database


@tries("{} {} match {}, get() needs exactly one")
def test_more_than_one(told: Told, stock: Stock) -> None:
    stock.Product(name="cake", kind="food", color="brown")
    with told(UowError):
        stock.Product.get(kind="food")
    assert "2" == stock.Product.get(kind="food", color="brown").pk.get() == stock.Product.get(name="cake").pk.get()


@tries("{}.{} has no index, and get_or_connect() cannot find by it")
def test_get_or_connect_by_what_has_no_index(told: Told, on: RedisDatabase) -> None:
    fields = {"name": InstanceHashField(unique=True), "size": InstanceHashField()}
    bike = declared("Bike", on, **fields)
    with told(ImplementationError) as caught:
        bike.get_or_connect(name="x", size=1)
    assert "Way out: defaults={'size': ...}" in str(caught.value)
    found, created = bike.get_or_connect(name="x", defaults={"size": 1})
    assert ("1", True) == (found.size.hget(), created)
    car = declared("Car", on, **fields | {"size": InstanceHashField(indexable=True)})
    assert car.get_or_connect(name="x", size=1)[1]


@tries("{}.get_or_connect() takes {} once")
def test_get_or_connect_twice(told: Told, stock: Stock) -> None:
    with told(ArgumentError):
        stock.Product.get_or_connect(name="x", defaults={"name": "y"})
    assert stock.Product.get_or_connect(name="x", defaults={"kind": "y"})[1]


# Databases.


@tries("{} cannot be pickled or copied: it holds connections")
def test_a_pickle_of_a_database(told: Told, tree_model: Any) -> None:
    with told(TypeError):
        pickle.dumps(tree_model.database)
    tree = tree_model(name="x")
    assert tree == pickle.loads(pickle.dumps(tree))


@tries("settle() takes the token of an OutcomeUnknown")
def test_settled_without_token(told: Told, proxy: Proxy, real: Real) -> None:
    for certain in (False, True):
        with RedisDatabase.from_url(proxy.url, settle_for=0.3, certain=certain) as db:
            bread = Stock(db).Product(name=f"bread {certain}")
            proxy.cut(after="EXEC" if certain else "INCRBY", down=True)
            with pytest.raises(OutcomeUnknown) as caught:
                bread.visits.incr()
            proxy.up()
            if not certain:
                with told(ArgumentTypeError):
                    db.settle(caught.value.token)
                continue
            assert "applied" == db.settle(caught.value.token)


# Several at once.


@tries("No {} found with pk {} (not in {}). Way out: get_many(..., missing='skip')")
def test_several_that_are_not_there(told: Told, stock: Stock) -> None:
    with told(stock.Product.DoesNotExist):
        stock.Product.get_many([1, 9])
    assert [stock.Product("1")] == stock.Product.get_many([1, 9], missing="skip")


@tries("{}.get_many() takes several primary keys, not {}. Way out: a list of them")
def test_one_where_several_are_taken(told: Told, stock: Stock) -> None:
    with told(ArgumentTypeError):
        stock.Product.get_many("1")
    assert [stock.Product("1")] == stock.Product.get_many(["1"])


@tries("{}.create_many() takes several rows, not {}. Way out: a list of mappings")
def test_one_row_where_several_are_taken(told: Told, stock: Stock) -> None:
    with told(ArgumentTypeError):
        stock.Product.create_many({"name": "cake"})
    (cake,) = stock.Product.create_many([{"name": "cake"}])
    assert "cake" == cake.name.hget()
