"""The chapter on databases: where models live, and how they move."""

import fakeredis
import pytest
import redis

from tests.tools.backends import Backend, Embedded, Real
from tests.tools.servers import RealServer
from uowredis import ImplementationError, RedisDatabase, RedisModel, Session, SessionError, StringField, fields, model


def settings_of(real: Real) -> dict[str, object]:
    """Return host, port, db and the like of the real server, as keyword arguments."""
    known = ("host", "port", "db", "username", "password")
    given = redis.connection.parse_url(real.server.url)
    return {"host": real.server.host, "port": real.server.port} | {k: given[k] for k in known if k in given}


def test_a_database_takes_the_arguments_of_redis_py(real: Real) -> None:
    """``RedisDatabase(host=..., port=..., db=...)`` is the server of those settings."""
    with RedisDatabase(**settings_of(real)) as main_database:

        class Example(model.RedisModel):
            database = main_database
            some_field = fields.StringField()

        example = Example(some_field="foo")
        assert "foo" == example.some_field.get()
        assert ("string", b"foo") == real.dump()[b":example:1:some_field"]


def test_a_database_from_a_url(real: Real) -> None:
    """``RedisDatabase.from_url(...)`` is the server at that URL."""
    with RedisDatabase.from_url(real.server.url) as main_database:

        class Example(RedisModel):
            database = main_database
            some_field = StringField()

        Example(some_field="foo")
        assert ("string", b"foo") == real.dump()[b":example:1:some_field"]


def test_a_url_that_cannot_be_read_is_refused() -> None:
    """A URL is checked where it is given."""
    with pytest.raises(ValueError, match="redis://"):
        RedisDatabase.from_url("http://localhost")


def test_embedded_databases_share_nothing(embedded: Embedded) -> None:
    """Each ``RedisDatabase.embedded()`` is a server of its own, unless one is given to be shared."""
    server = fakeredis.FakeServer()
    first, second = RedisDatabase.embedded(server=server), RedisDatabase.embedded(server=server)
    alone = RedisDatabase.embedded()
    with first, second, alone:
        first.connection.set("foo", "bar")
        assert ["bar", None] == [second.connection.get("foo"), alone.connection.get("foo")]


def test_the_connection_is_an_ordinary_client(server: Backend) -> None:
    """``database.connection`` is redis-py's client with text replies, on the same data; no session holds it back."""
    database = server.database()
    with Session(database):
        assert True is database.connection.set("foo", "bar")
        assert {b"foo": ("string", b"bar")} == server.dump()
        assert "bar" == database.connection.get("foo")


def test_nothing_is_connected_before_the_first_command() -> None:
    """A database, a model and an empty instance need no server."""
    with RedisDatabase(port=1) as database:
        Example = type("Example", (RedisModel,), {"database": database, "foo": StringField()})  # noqa: N806  # a class
        Example()


def test_settings_that_redis_py_does_not_have_are_refused() -> None:
    """A misspelled setting is refused where it is given, with redis-py's own words."""
    with pytest.raises(ImplementationError, match="prot"):
        RedisDatabase(prot=6379)


def test_connect_switches_to_other_settings(real: Real) -> None:
    """``connect(...)`` moves the database, with its models, to another server or db, from the next command on."""
    settings = settings_of(real)
    with (
        RealServer.start() as other,
        redis.Redis(host=other.host, port=other.port, db=3) as client,
        RedisDatabase(**settings) as main_database,
    ):

        class Example(RedisModel):
            database = main_database
            foo = StringField()

        example = Example(foo="here")
        main_database.connect(host=other.host, port=other.port, db=3)
        assert (None, False) == (example.foo.get(), Example.exists("1"))
        there = Example(foo="there")
        assert ("1", b"there") == (there.pk.get(), client.get(":example:1:foo"))
        with Session(main_database) as s:
            there.foo.append("!")
            s.commit()
        assert b"there!" == client.get(":example:1:foo")
        main_database.connect(**settings)
        assert "here" == example.foo.get()


def test_an_abstract_model_hands_down_its_database(server: Backend) -> None:
    """Models of one abstract base share its database; the base has no objects."""
    main_database = server.database()

    class BaseModel(model.RedisModel):
        database = main_database
        abstract = True

    class Foo(BaseModel):
        foo_field = fields.StringField()

    class Bar(BaseModel):
        bar_field = fields.StringField()

    assert [main_database, main_database] == [Foo.database, Bar.database]
    assert "FOO" == Foo(foo_field="FOO").foo_field.get()
    with Session(main_database) as s:
        bar = Bar(bar_field="BAR")
        assert "BAR" == bar.bar_field.get()
        s.commit()
    assert "BAR" == bar.bar_field.get()
    with pytest.raises(ImplementationError, match="BaseModel is abstract"):
        BaseModel()
    with pytest.raises(ImplementationError, match="BaseModel is abstract"):
        BaseModel.exists(1)


def test_two_models_of_one_name_are_refused(server: Backend) -> None:
    """Two models of one name on one database would share keys: refused where the second is declared, naming both."""
    main_database = server.database()

    class First:
        class Example(RedisModel):
            database = main_database

    with pytest.raises(ImplementationError) as refused:

        class Second:
            class Example(RedisModel):
                database = main_database

    places = [f"{__name__}.test_two_models_of_one_name_are_refused.<locals>.{n}.Example" for n in ("First", "Second")]
    assert [True, True] == [place in str(refused.value) for place in places]
    # Names differ by more than their case, because keys are in lower case.
    with pytest.raises(ImplementationError, match="already on this database"):
        type("EXAMPLE", (RedisModel,), {"database": main_database})
    assert "1" == First.Example().pk.get()


def test_a_namespace_tells_models_of_one_name_apart(server: Backend) -> None:
    """Models of one name live in different namespaces; the namespace begins their keys as it is spelled."""
    main_database = server.database()

    class Example(RedisModel):
        database = main_database
        foo = StringField(indexable=True)

    class Registration:
        class Example(RedisModel):
            database = main_database
            namespace = "Registration"
            foo = StringField(indexable=True)

    Example(foo="a")
    Registration.Example(foo="b")
    assert [True, False] == [Example.exists(foo="a"), Registration.Example.exists(foo="a")]
    with Session(main_database) as s:
        Registration.Example(foo="a")
        assert [True, True] == [Example.exists(foo="a"), Registration.Example.exists(foo="a")]
        s.commit()
    assert {b":example:1:foo", b"Registration:example:1:foo", b"Registration:example:2:foo"} <= set(server.dump())


def external_module() -> tuple[type[RedisModel], type[RedisModel], type[RedisModel]]:
    """Return the models of the documented external module, with a database of its own."""

    class BaseModel(RedisModel):
        database = RedisDatabase.embedded()
        abstract = True

    class Foo(BaseModel):
        foo = StringField(indexable=True)

    class Bar(BaseModel):
        bar = StringField()

    return BaseModel, Foo, Bar


def test_use_database_moves_a_model_with_its_subclasses(server: Backend) -> None:
    """``BaseModel.use_database(database)`` moves the base and all below it that were on the same database."""
    base_model, foo, bar = external_module()
    elsewhere = RedisDatabase.embedded()
    own = type("Own", (base_model,), {"database": elsewhere})
    old = foo.database
    database = server.database()
    base_model.use_database(database)
    assert [database, database, database, elsewhere] == [m.database for m in (base_model, foo, bar, own)]
    foo(foo="FOO")
    with Session(database) as s:
        bar(bar="BAR")
        s.commit()
    assert {b":foo:1:foo", b":bar:1:bar"} <= set(server.dump())
    assert [] == old.connection.keys()
    # The names are free again on the database they left.
    assert "1" == type("Foo", (RedisModel,), {"database": old})().pk.get()
    elsewhere.close()
    old.close()


def test_use_database_moves_nothing_where_a_name_is_taken(server: Backend) -> None:
    """Where one of the moving models meets its name, all stay where they were."""
    base_model, foo, bar = external_module()
    old, database = foo.database, server.database()
    type("Bar", (RedisModel,), {"database": database})
    with pytest.raises(ImplementationError, match="'Bar'"):
        base_model.use_database(database)
    assert [old, old, old] == [m.database for m in (base_model, foo, bar)]
    type("Foo", (RedisModel,), {"database": database})
    old.close()


def test_a_session_whose_server_changed_can_be_rolled_back(real: Real, twin: Real) -> None:
    """What was said is for another server: it is refused, with a way out that works."""
    with RedisDatabase(**settings_of(real)) as main_database:

        class Example(RedisModel):
            database = main_database
            foo = StringField()

        with Session(main_database) as s:
            Example(foo="here")
            main_database.connect(host=twin.server.host, port=twin.server.port)
            with pytest.raises(SessionError, match=r"Way out: rollback\(\), and say it again in a new session"):
                s.commit()
            s.rollback()
        with Session(main_database) as s:
            Example(foo="there")
            s.commit()
        with twin.client() as client:
            assert b"there" == client.get(":example:1:foo")
        assert {} == real.dump()
