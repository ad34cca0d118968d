"""What is no reference to an object of the other model is refused, and leaves nothing behind."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.models import groups
from tests.tools.backends import Backend
from uowredis import ArgumentError, DoesNotExist, RedisDatabase, Session


class Models:
    """Groups with a field of each kind, a group with references, and what cannot be referred to."""

    def __init__(self, on: RedisDatabase) -> None:
        models = groups(on)
        self.database, self.person, self.group = on, models.person, models.group

        class Member(self.person):
            pass

        self.member = Member
        self.ann = self.person(name="ann", nicknames=["Annie"])
        self.box = self.group(key="1", entry="1", members=["1"], history=["1"], scores={"1": 1})
        self.ann.boss.set(self.box)
        self.subclassed = Member(name="m")
        self.deleted = self.person(name="deleted")
        self.deleted.delete()
        with Session(on) as session:
            self.rolled_back, self.rolled_back_empty = self.person(name="x"), self.person()
            session.rollback()


BAD: dict[str, tuple[Callable[[Models], Any], type[Exception]]] = {
    "another model": (lambda models: models.box, ArgumentError),
    "another model, empty": (lambda models: models.group(), ArgumentError),
    "a subclass": (lambda models: models.subclassed, ArgumentError),
    "deleted": (lambda models: models.deleted, DoesNotExist),
    "rolled back": (lambda models: models.rolled_back, DoesNotExist),
    "rolled back, empty": (lambda models: models.rolled_back_empty, DoesNotExist),
    "bound pk of another model": (lambda models: models.box.pk, ArgumentError),
    "bound pk of a deleted object": (lambda models: models.deleted.pk, DoesNotExist),
    "foreign key to another model": (lambda models: models.ann.boss, ArgumentError),
    "empty foreign key": (lambda models: models.group().key, ArgumentError),
    "many-to-many field": (lambda models: models.box.members, ArgumentError),
    "list of references": (lambda models: models.box.history, ArgumentError),
    "field without relation": (lambda models: models.ann.name, ArgumentError),
    "set without relation": (lambda models: models.ann.nicknames, ArgumentError),
    "declared field": (lambda models: models.group.key, ArgumentError),
    "model": (lambda models: models.person, ArgumentError),
    "None": (lambda models: None, ArgumentError),
    "bool": (lambda models: True, ArgumentError),
    "list": (lambda models: ["1"], ArgumentError),
    "dict": (lambda models: {"1": 1}, ArgumentError),
    "object": (lambda models: object(), ArgumentError),
    "collection": (lambda models: models.person.collection(), ArgumentError),
    "no UTF-8": (lambda models: "\ud800", ArgumentError),
}

#: The commands that take a value, each of a group, an object that is good, and the value.
SAYING: dict[str, Callable[[Any, Any, Any], Any]] = {
    "set": lambda group, good, value: group.key.set(value),
    "set nx": lambda group, good, value: group.key.set(value, nx=True),
    "getset": lambda group, good, value: group.key.getset(value),
    "setnx": lambda group, good, value: group.key.setnx(value),
    "hset": lambda group, good, value: group.entry.hset(value),
    "hsetnx": lambda group, good, value: group.entry.hsetnx(value),
    "hmset": lambda group, good, value: group.hmset(entry=value),
    "sadd": lambda group, good, value: group.members.sadd(good, value),
    "srem": lambda group, good, value: group.members.srem(good, value),
    "sismember": lambda group, good, value: group.members.sismember(value),
    "lpush": lambda group, good, value: group.history.lpush(good, value),
    "rpushx": lambda group, good, value: group.history.rpushx(good, value),
    "linsert": lambda group, good, value: group.history.linsert("AFTER", good, value),
    "linsert beside": lambda group, good, value: group.history.linsert("AFTER", value, good),
    "lrem": lambda group, good, value: group.history.lrem(0, value),
    "lset": lambda group, good, value: group.history.lset(0, value),
    "zincrby": lambda group, good, value: group.scores.zincrby(1, value),
    "zrem": lambda group, good, value: group.scores.zrem(good, value),
    "zscore": lambda group, good, value: group.scores.zscore(value),
    "zrank": lambda group, good, value: group.scores.zrank(value),
}
MAKING: dict[str, Callable[[Any, Any], Any]] = {
    "key": lambda good, value: {"entry": good, "key": value},
    "entry": lambda good, value: {"key": good, "entry": value},
    "members": lambda good, value: {"key": good, "members": [good, value]},
    "history": lambda good, value: {"key": good, "history": [value, good]},
    "scores": lambda good, value: {"key": good, "scores": {good: 1, value: 2}},
}


def check_refused(models: Models, refused: type[Exception], sayings: dict[str, Callable[[], Any]]) -> None:
    """Check that each of *sayings* raises, and that then nothing is pending in the open session."""
    for name, say in sayings.items():
        with pytest.raises(refused):
            say()
            pytest.fail(f"taken: {name}")
        with Session(models.database) as session:
            with pytest.raises(refused):
                say()
                pytest.fail(f"taken in a session: {name}")
            assert () == session.pending, name


@pytest.mark.parametrize("bad", BAD)
def test_a_command_refuses_it(server: Backend, bad: str) -> None:
    """Nothing is stored; neither the object nor the other new ones that the command names are created."""
    models = Models(server.database())
    value_of, refused = BAD[bad]
    empty, good = models.group(), models.person()
    before = server.dump()
    for group in (empty, models.box):
        check_refused(
            models, refused, {name: partial(_say, say, group, good, value_of, models) for name, say in SAYING.items()}
        )
    assert [None, None] == [empty._pk, good._pk]
    assert before == server.dump()


def _say(say: Any, group: Any, good: Any, value_of: Any, models: Models) -> None:
    say(group, good, value_of(models))


@pytest.mark.parametrize("bad", BAD)
def test_a_constructor_refuses_it(server: Backend, bad: str) -> None:
    """Nothing of the object is stored, and those it would refer to are not created."""
    models = Models(server.database())
    value_of, refused = BAD[bad]
    good = models.person()
    hashable = getattr(type(value_of(models)), "__hash__", None) is not None
    fields = [field for field in MAKING if hashable or field != "scores"]
    before = server.dump()
    check_refused(models, refused, {field: partial(_make, field, good, value_of, models) for field in fields})
    assert None is good._pk
    assert before == server.dump()


def _make(field: str, good: Any, value_of: Any, models: Models) -> None:
    models.group(**MAKING[field](good, value_of(models)))


OTHERS = ["another model", "a subclass", "bound pk of another model", "foreign key to another model"]


@pytest.mark.parametrize("bad", OTHERS)
@pytest.mark.parametrize("field", MAKING)
def test_a_filter_refuses_another_model(server: Backend, field: str, bad: str) -> None:
    """Whatever asks: it would compare primary keys of one model with those of another."""
    models = Models(server.database())
    filters = {field: BAD[bad][0](models)}
    group = models.group
    questions = {
        "collection": partial(group.collection, **filters),
        "filter": partial(group.collection().filter, **filters),
        "related collection": partial(models.ann.by_key, **filters),
        "get": partial(group.get, **filters),
        "exists": partial(group.exists, **filters),
        "get_or_connect": partial(group.get_or_connect, **filters),
    }
    before = server.dump()
    check_refused(models, ArgumentError, questions)
    assert before == server.dump()


def test_a_pending_reply_is_no_value(server: Backend) -> None:
    """A reply that is not there yet stands for nothing."""
    models = Models(server.database())
    before = server.dump()
    with Session(models.database) as session:
        pending = models.ann.name.hset("other")
        for say in (
            models.box.key.set,
            models.box.members.sadd,
            models.box.scores.zrem,
            lambda value: models.group(key=value),
        ):
            with pytest.raises(ArgumentError):
                say(pending)
        assert 1 == len(session.pending)
        session.rollback()
    with pytest.raises(ArgumentError):
        models.box.key.set(pending)
    assert before == server.dump()


def test_what_was_deleted_in_the_session_is_no_value(server: Backend) -> None:
    """A deletion counts from when it was said, for stored and for new objects."""
    models = Models(server.database())
    before = server.dump()
    with Session(models.database) as session:
        new = models.person(name="new")
        new.delete()
        models.ann.delete()
        said = session.pending
        for gone in (new, models.ann, new.pk, models.ann.pk):
            for say in (models.box.key.set, models.box.history.rpush, lambda value: models.group(entry=value)):
                with pytest.raises(DoesNotExist):
                    say(gone)
        assert said == session.pending
        session.rollback()
    assert before == server.dump()
    assert True is models.box.key.set(models.ann)


def test_after_a_refusal_the_session_goes_on(server: Backend) -> None:
    """What was said before and after is committed, and no more."""
    models = Models(server.database())
    with Session(models.database) as session:
        group = models.group(key=models.ann)
        with pytest.raises(ArgumentError):
            group.members.sadd(models.ann, models.box)
        group.history.rpush(models.ann)
        session.commit()
    assert ["1", set(), ["1"]] == [group.key.get(), group.members.smembers(), group.history.lrange(0, -1)]
