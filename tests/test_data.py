"""What is handed to users is data: it can be copied, compared, printed, pickled, and sent to another process."""

import copy
import multiprocessing
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from tests.models import CONTENT, things
from uowredis import InstanceHashField, RedisDatabase, RedisModel, Session, StringField
from uowredis.contrib.database import PipelineDatabase

main_database = PipelineDatabase.embedded()


class Thing(things(main_database)):  # type: ignore[misc]  # a class that a function returns
    namespace = "data"


class Bike(RedisModel):
    database = main_database
    name = InstanceHashField(indexable=True)
    wheels = StringField(default=2)


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda what: pickle.loads(pickle.dumps(what)),
}


@pytest.fixture(scope="module")
def handed() -> dict[str, Any]:
    """One of each, by name; every command of every field that a session keeps, and that a pipeline does."""
    bike, thing = Bike(name="x"), Thing(**CONTENT)
    with Session(main_database, on_pending="discard") as session:
        bike.name.hset("y"), bike.wheels.incr(), bike.hmset(name="z")
        thing.indexed_string.set(5), thing.indexed_string.incrbyfloat(0.5), thing.string.getset("a")
        thing.headers.hset("a", 1), thing.headers.hincrby("n", 1), thing.headers.hdel("a")
        thing.indexed_set.sadd("a", "b"), thing.indexed_set.spop(), thing.set.spop(2), thing.set.srem("a")
        thing.list.rpush("a"), thing.list.lpop(), thing.list.ltrim(0, 1), thing.list.linsert("before", "a", "b")
        thing.zset.zadd({"a": 1}), thing.zset.zincrby(1, "a"), thing.zset.zremrangebyscore(0, 1)
        thing.delete(), Bike("1").wheels.delete()
        commands, plan = session.pending, session.plan()
    with main_database.pipeline(on_pending="discard") as pipeline:
        bike.wheels.get(), bike.hgetall(), thing.set.smembers(), thing.zset.zrange(0, -1, withscores=True)
        Bike.collection(name="x").sort("wheels")
        assert pipeline.plan()
        reads = pipeline.pending
    return {
        **{f"command {command}": command for command in (*commands, *reads)},
        "plan": plan,
        **{f"round {number}": each for number, each in enumerate(plan.rounds)},
        **{f"step {number}": each for number, each in enumerate(plan.steps)},
        "explanation": Bike.collection(name="x").sort("wheels").explain(),
        "instance": bike,
        "field of an instance": bike.name,
        "primary key of an instance": thing.pk,
        "collection": Bike.collection(name="x"),
    }


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_equal_and_reads_the_same(handed: dict[str, Any], how: str) -> None:
    """Whatever it is of."""
    for name, what in handed.items():
        again = COPIES[how](what)
        assert (what, str(what), repr(what)) == (again, str(again), repr(again)), name


def test_another_process_gets_the_same(handed: dict[str, Any]) -> None:
    """And gives it back as it was."""
    sent = {name: what for name, what in handed.items() if name != "collection"}
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert sent == pool.submit(dict, sent).result()
        assert {name: str(what) for name, what in sent.items()} == pool.submit(printed, sent).result()


def printed(what: dict[str, Any]) -> dict[str, str]:
    return {name: str(each) for name, each in what.items()}


def test_a_copy_is_of_the_same_object() -> None:
    """A copied field writes what the field writes; a copied command is about the same new object."""
    bike = Bike(name="first")
    COPIES["pickle"](bike.wheels).set(9)
    assert "9" == COPIES["deepcopy"](bike).wheels.get() == bike.wheels.get()
    with Session(main_database, on_pending="discard") as session:
        Bike(name="second")
        (command,) = session.pending
        assert command == copy.deepcopy(command)


def test_what_is_no_data() -> None:
    """A database holds connections, a session belongs to who opened it."""
    with Session(main_database) as session:
        for what, way_out in ((main_database, "objects can"), (session, "plan")):
            for how in COPIES.values():
                with pytest.raises(TypeError, match=rf"cannot be pickled or copied.*Way out:.*{way_out}"):
                    how(what)


def test_a_model_inside_a_function() -> None:
    """Nobody else finds it."""
    with RedisDatabase.embedded() as db:

        class Local(RedisModel):
            database = db
            name = InstanceHashField()

        one = Local(name="x")
        with Session(db, on_pending="discard") as session:
            one.name.hset("y")
            with pytest.raises(TypeError, match=r"Local cannot be pickled: .* Way out: declare it in a module"):
                pickle.dumps(session.pending)
            assert session.pending == copy.deepcopy(session.pending)
