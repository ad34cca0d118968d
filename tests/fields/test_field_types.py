"""The chapter on field types: its examples, at once and in a session."""

from tests.tools.backends import Backend
from uowredis import Session, fields, model


def test_a_string(server: Backend) -> None:
    """The example of StringField."""
    main_database = server.database()

    class Example(model.RedisModel):
        database = main_database
        name = fields.StringField()

    example = Example(name="foo")
    assert "foo" == example.name.get()
    assert True is example.name.set("bar")
    assert "bar" == example.name.get()
    example.delete()
    assert {b":example:max_pk": ("string", b"1")} == server.dump()


def test_a_string_in_a_session(server: Backend) -> None:
    """The example of StringField as one unit of work."""
    main_database = server.database()

    class Example(model.RedisModel):
        database = main_database
        name = fields.StringField()

    with Session(main_database) as s:
        example = Example(name="foo")
        assert "foo" == example.name.get()
        stored = example.name.set("bar")
        assert "bar" == example.name.get()
        assert [example, True] == s.commit()
        assert (True, "bar") == (stored.result, example.name.get())
        example.delete()
        s.commit()
    assert {b":example:max_pk": ("string", b"1")} == server.dump()


def test_a_hash(server: Backend) -> None:
    """The example of HashField."""
    main_database = server.database()

    class Email(model.RedisModel):
        database = main_database
        headers = fields.HashField()

    email = Email()
    headers = {"from": "foo@bar.com", "to": "me@world.org"}
    assert True is email.headers.hmset(**headers)
    assert "foo@bar.com" == email.headers.hget("from")
    assert headers == email.headers.hgetall()


def test_a_hash_in_a_session(server: Backend) -> None:
    """The example of HashField as one unit of work."""
    main_database = server.database()

    class Email(model.RedisModel):
        database = main_database
        headers = fields.HashField()

    headers = {"from": "foo@bar.com", "to": "me@world.org"}
    with Session(main_database) as s:
        email = Email()
        stored = email.headers.hmset(**headers)
        assert "foo@bar.com" == email.headers.hget("from")
        assert headers == email.headers.hgetall()
        assert {} == server.dump()
        s.commit()
    assert (True, headers) == (stored.result, email.headers.hgetall())


def stuff_model(server: Backend, kind: type) -> type[model.RedisModel]:
    """Return the documented model with a field ``stuff``."""

    class Example(model.RedisModel):
        database = server.database()
        stuff = kind()

    return Example


def test_a_set(server: Backend) -> None:
    """The example of SetField."""
    example = stuff_model(server, fields.SetField)()
    assert 2 == example.stuff.sadd("foo", "bar")
    assert {"foo", "bar"} == example.stuff.smembers()
    assert True is example.stuff.sismember("bar")
    assert 1 == example.stuff.srem("bar")
    assert {"foo"} == example.stuff.smembers()
    assert 1 == example.stuff.delete()
    assert set() == example.stuff.smembers()


def test_a_set_in_a_session(server: Backend) -> None:
    """The example of SetField as one unit of work."""
    example_class = stuff_model(server, fields.SetField)
    with Session(example_class.database) as s:
        example = example_class()
        added = example.stuff.sadd("foo", "bar")
        assert {"foo", "bar"} == example.stuff.smembers()
        assert True is example.stuff.sismember("bar")
        removed = example.stuff.srem("bar")
        assert {"foo"} == example.stuff.smembers()
        assert False is example.stuff.sismember("bar")
        s.commit()
        assert [2, 1, {"foo"}] == [added.result, removed.result, example.stuff.smembers()]
        deleted = example.stuff.delete()
        assert set() == example.stuff.smembers()
        s.commit()
    assert (1, set()) == (deleted.result, example.stuff.smembers())


def test_a_list(server: Backend) -> None:
    """The example of ListField."""
    example = stuff_model(server, fields.ListField)()
    assert 2 == example.stuff.rpush("foo", "bar")
    assert ["foo", "bar"] == example.stuff.lrange(0, -1)
    assert "bar" == example.stuff.lindex(1)
    assert 1 == example.stuff.lrem(1, "bar")
    assert ["foo"] == example.stuff.lrange(0, -1)
    assert 1 == example.stuff.delete()
    assert [] == example.stuff.lrange(0, -1)


def test_a_list_in_a_session(server: Backend) -> None:
    """The example of ListField as one unit of work."""
    example_class = stuff_model(server, fields.ListField)
    with Session(example_class.database) as s:
        example = example_class()
        pushed = example.stuff.rpush("foo", "bar")
        assert ["foo", "bar"] == example.stuff.lrange(0, -1)
        assert "bar" == example.stuff.lindex(1)
        removed = example.stuff.lrem(1, "bar")
        assert ["foo"] == example.stuff.lrange(0, -1)
        s.commit()
        assert [2, 1, ["foo"]] == [pushed.result, removed.result, example.stuff.lrange(0, -1)]
        deleted = example.stuff.delete()
        assert [] == example.stuff.lrange(0, -1)
        s.commit()
    assert (1, []) == (deleted.result, example.stuff.lrange(0, -1))


def test_a_sorted_set(server: Backend) -> None:
    """The example of SortedSetField."""
    example = stuff_model(server, fields.SortedSetField)()
    assert 2 == example.stuff.zadd(foo=2.5, bar=1.1)
    assert ["bar", "foo"] == example.stuff.zrange(0, -1)
    assert [("bar", 1.1)] == example.stuff.zrangebyscore(1, 2, withscores=True)
    assert 1 == example.stuff.zrem("bar")
    assert [] == example.stuff.zrangebyscore(1, 2, withscores=True)
    assert 1 == example.stuff.delete()
    assert [] == example.stuff.zrange(0, -1)


def test_a_sorted_set_in_a_session(server: Backend) -> None:
    """The example of SortedSetField as one unit of work."""
    example_class = stuff_model(server, fields.SortedSetField)
    with Session(example_class.database) as s:
        example = example_class()
        added = example.stuff.zadd(foo=2.5, bar=1.1)
        assert ["bar", "foo"] == example.stuff.zrange(0, -1)
        assert [("bar", 1.1)] == example.stuff.zrangebyscore(1, 2, withscores=True)
        removed = example.stuff.zrem("bar")
        assert [] == example.stuff.zrangebyscore(1, 2, withscores=True)
        s.commit()
        assert [2, 1, ["foo"]] == [added.result, removed.result, example.stuff.zrange(0, -1)]
        deleted = example.stuff.delete()
        assert [] == example.stuff.zrange(0, -1)
        s.commit()
    assert (1, []) == (deleted.result, example.stuff.zrange(0, -1))
