"""``check()``, ``repair()`` and ``rebuild()``: data that is there is made to say what the declarations say (do)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Literal, TypeAlias

from uowredis.exceptions import ArgumentError, ArgumentTypeError
from uowredis.executor.drive import drive
from uowredis.executor.line import Line
from uowredis.maintenance.checking import Checking, Progress
from uowredis.maintenance.face import check_blocks
from uowredis.maintenance.finding import Finding, Policy
from uowredis.maintenance.fingerprint import begun, ended
from uowredis.maintenance.looking import stream
from uowredis.maintenance.mending import Mended, batches, mended
from uowredis.maintenance.over_shards import CheckingShards
from uowredis.model.declaration import MetaRedisModel, database_of, schema_of
from uowredis.model.redis_model import RedisModel
from uowredis.plan.requests import Deciding, Send
from uowredis.schema.keys import slot_of
from uowredis.schema.models import FieldSchema, ModelSchema

#: What looks through the data of a model.
_Looks: TypeAlias = Checking | CheckingShards


def check(*models: type[RedisModel], progress: Callable[[Progress], object] | None = None) -> Iterator[Finding]:
    """Yield what is wrong with the data of *models*; it only reads: ``SCAN``, ``SSCAN`` and what objects hold.

    Others may write meanwhile: each finding is looked at again in one transaction before it is told. What is written
    behind the place where the check is may go unseen. It holds some hundred objects at a time.

    Args:
        models: classes of one database or several, each looked through once.
        progress: is called after each batch.

    Raises:
        ArgumentTypeError: for what is no model.
        Unreachable: where the server is not there.
    """
    for checking, line in _checkings(models, "check", progress):
        for findings in stream(checking.everything(), line.answer):
            yield from findings
        for findings in stream(checking.fingerprint(), line.answer):
            yield from findings


def repair(
    *models: type[RedisModel],
    dry_run: bool = False,
    orphans: Literal["leave", "adopt", "delete"] = "leave",
    references: Literal["leave", "clear"] = "leave",
    forget: Collection[str] = (),
    progress: Callable[[Progress], object] | None = None,
) -> Iterator[Mended]:
    """Mend what a check finds, batch by batch; yield the plan of each, which is applied under ``WATCH``.

    Entries of indexes follow from the data, so they are made right, and a counter of primary keys that is behind is
    set. What destroys or invents data is asked for. Two holders of a unique value are told, never decided. Where others
    write meanwhile a batch is judged anew on what they wrote. It may be broken off anywhere, and begun again.

    Args:
        models: classes of one database or several.
        dry_run: send nothing; the plans are what would be sent.
        orphans: what becomes of data without primary key: "leave"; "adopt": it is an object again, unless another holds
            a unique value of it; "delete".
        references: what becomes of references to missing objects: "leave" or "clear".
        forget: names of fields that are no longer declared, or have no index any more: what they left is deleted.
        progress: is called after each batch.

    Raises:
        ArgumentError: for another word, and a field to forget that has an index.
        ArgumentTypeError: for what is no model, and for a *forget* that is text.
        Conflict: where others change what mends one finding, time and again.
        Unreachable: where the server is not there.
    """
    for name, word, words in (
        ("orphans", orphans, ("leave", "adopt", "delete")),
        ("references", references, ("leave", "clear")),
    ):
        if word not in words:
            raise ArgumentError(f"repair({name}=...) takes {', '.join(map(repr, words))}, not {word!r}")
    if isinstance(forget, str):
        raise ArgumentTypeError(f"repair(forget=...) takes names, not a text. Way out: forget=[{forget!r}]")
    policy = Policy(orphans, references, frozenset(forget))
    checkings = _checkings(models, "repair", progress)
    for checking, _ in checkings:
        for field in checking.model.indexed:
            if field.name in policy.forget and field.by_value:
                raise ArgumentError(
                    f"{checking.model.name}.{field.name} is declared and has an index: nothing of it is forgotten. Way "
                    f"out: leave it out of forget"
                )
    return _repaired(checkings, policy, dry_run, whole=True)


def rebuild(
    model: type[RedisModel],
    *fields: str,
    dry_run: bool = False,
    progress: Callable[[Progress], object] | None = None,
) -> Iterator[Mended]:
    """Fill the indexes of *model* from the data that is there; yield the plan of each batch, applied under ``WATCH``.

    No index is emptied first: it gets what it lacks and loses what is wrong, while others read and write. It may be
    broken off anywhere, and begun again. Values of a unique field that two objects hold are told (``Mended.left``),
    never decided: both are in the index, and nobody else can take the value.

    Args:
        model: whose indexes.
        fields: names of indexed fields, all by default.
        dry_run: send nothing; the plans are what would be sent.
        progress: is called after each batch.

    Raises:
        ArgumentError: for a field that is not there, or has no index.
        ArgumentTypeError: for what is no model.
        Conflict: where others change what mends one finding, time and again.
        Unreachable: where the server is not there.
    """
    checkings = _checkings((model,), "rebuild", progress)
    if fields:
        ((checking, _),) = checkings
        known = {field.name: field for field in checking.model.indexed}
        for name in fields:
            if name not in known:
                raise ArgumentError(
                    f"{checking.model.name} has no indexed field {name!r}; it has {', '.join(known) or 'none'}"
                )
        checking.fields = [known[name] for name in fields]
    else:
        for checking, _ in checkings:
            checking.fields = checking.model.indexed
    return _repaired(checkings, Policy(), dry_run, whole=False)


def _repaired(checkings: list[tuple[_Looks, Line]], policy: Policy, dry_run: bool, *, whole: bool) -> Iterator[Mended]:
    for checking, line in checkings:
        parts = [each for each in _facets_of(checking) if not drive(_is_empty(each), line.answer)]
        for model in parts:
            if not dry_run and (plan := drive(begun(model, _indexed(model, checking)), line.answer)) is not None:
                yield Mended(plan, (), (), applied=True)
        for findings in stream(checking.everything() if whole else checking.entries(), line.answer):
            for batch in batches([finding for finding in findings if not finding.is_note]):
                for done in drive(mended(batch, policy, dry_run=dry_run), line.answer):
                    if done.findings or done.left:
                        yield done
        for model in parts:
            indexed = _indexed(model, checking)
            fields = list(model.fields.values()) if len(indexed) == len(model.indexed) else indexed
            turns = ended(model, fields, policy.forget, dry_run=dry_run)
            if (plan := drive(turns, line.answer)) is not None:
                yield Mended(plan, (), (), applied=not dry_run)


def _indexed(model: ModelSchema, checking: _Looks) -> Collection[FieldSchema]:
    return model.indexed if checking.fields is None else [model.fields[field.name] for field in checking.fields]


def _facets_of(checking: _Looks) -> list[ModelSchema]:
    return [checking.model] if isinstance(checking, Checking) else list(checking.parts)


def _checkings(
    models: Collection[type[RedisModel]], of: str, progress: Callable[[Progress], object] | None
) -> list[tuple[_Looks, Line]]:
    for model in models:
        if not isinstance(model, MetaRedisModel):
            raise ArgumentTypeError(f"{of}() takes models, not {model!r}. Way out: {of}(Bike), the class itself")
        check_blocks(model, of)
    return [_checking(model, progress) for model in dict.fromkeys(models)]


def _checking(model: type[RedisModel], progress: Callable[[Progress], object] | None) -> tuple[_Looks, Line]:
    """Return what looks through the data of *model*; of a sharded one place by place, for all facts of one are there.

    Raises:
        ImplementationError: where its data is in another number of shards.
    """
    schema, database = schema_of(model), database_of(model)
    assert database is not None
    database._check_placed(schema)
    line = Line(lambda: database._executor)
    others = [other._schema for other in database.models if other is not model]
    inside = [other for other in others if schema.keys.owns(other.keys.prefix)]
    checking: _Looks
    if schema.facets is None:
        checking = Checking(schema, inside)
    else:
        database._fingerprints.layouts.want(schema)
        if database._fingerprints.layouts.wanted:
            drive(database._fingerprints.layouts.turns(writing=False), line.answer)
        parts = {}
        for shard in range(schema.facets.count):
            beside = [other if other.facets is None else other.facet(shard) for other in inside]
            parts[schema.facet(shard)] = Checking(schema.facet(shard), beside)
        places = [facet.keys.place for facet in parts if facet.keys.place is not None]
        # A place of each node; which has which was asked with the layout.
        nodes = {database._executor.node_of(slot_of(place)): place for place in places}
        checking = CheckingShards(schema, parts, list(nodes.values()))
    if progress is not None:
        checking.progress = progress
    return checking, line


def _is_empty(model: ModelSchema) -> Deciding[bool]:
    """Return whether *model* is a facet of a sharded one and nothing was written there yet, so that nothing need be."""
    if model.shard is None:
        return False
    replies = yield Send([("EXISTS", key) for key in (model.keys.fingerprint, model.keys.collection)])
    return not any(replies)
