"""What a type costs: the lines whose ``ours`` has fields of int, and whose ``hand`` the same fields as text."""

from collections.abc import Callable
from typing import Any

from tests.bench.lines import Contestant, Line, Stage
from uowredis import InstanceHashField, RedisModel

#: What an int may need, of what text does.
MOST = 1.15


def _model(stage: Stage, kind: type[int] | None) -> Any:
    class Counted(RedisModel):
        database = stage.database
        first: Any = InstanceHashField() if kind is None else InstanceHashField(type=kind)
        second: Any = InstanceHashField() if kind is None else InstanceHashField(type=kind)

    return Counted


def _there(stage: Stage) -> None:
    with stage.client.pipeline() as pipe:
        for pk in range(1, stage.count + 1):
            pipe.hset(f":counted:{pk}:hash", mapping={"first": pk, "second": 7 * pk})
            pipe.sadd(":counted:collection", pk)
        pipe.set(":counted:max_pk", stage.count)
        pipe.execute()


def _line(work: Callable[[Stage, Any], Callable[[], object]], count: int) -> Line:
    def of(kind: type[int] | None) -> Contestant:
        def ready(stage: Stage) -> Callable[[], object]:
            _there(stage)
            model = _model(stage, kind)
            todo = work(stage, model)
            model.get("1").first.hget()
            return todo

        return ready

    return Line(of(int), of(None), None, count, MOST)


def _hget(stage: Stage, model: Any) -> Callable[[], object]:
    one = model.get("1")
    return lambda: [one.first.hget() for _ in range(stage.count)]


def _hset(stage: Stage, model: Any) -> Callable[[], object]:
    one = model.get("1")
    return lambda: [one.first.hset(at) for at in range(stage.count)]


def _values(as_rows: Callable[[Any], Any]) -> Callable[[Stage, Any], Callable[[], object]]:
    return lambda stage, model: lambda: list(as_rows(model.collection()))


LINES: dict[str, Line] = {
    "int-hget": _line(_hget, 4_000),
    "int-hset": _line(_hset, 4_000),
    "int-values": _line(_values(lambda found: found.values("first", "second")), 20_000),
    "int-values_list": _line(_values(lambda found: found.values_list("first", "second")), 20_000),
}
