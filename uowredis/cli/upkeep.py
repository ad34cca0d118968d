"""``python -m uowredis check``, ``repair`` and ``rebuild``: upkeep of the data of models (do)."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from uowredis.cli.target import find
from uowredis.exceptions import ArgumentError
from uowredis.maintenance import Finding, Mended, Progress, check, rebuild, repair
from uowredis.model.redis_model import RedisModel


def add(commands: Any) -> None:
    """Add the commands to those of the command line."""
    checks = commands.add_parser(
        "check",
        help="tell what is wrong with the data of models",
        description="Tell what is wrong with the data of models. Exit status: 0 clean, 1 findings, 2 could not look.",
    )
    _take_models(checks)
    checks.add_argument("--json", action="store_true", help="a JSON object a line, in place of words")
    checks.set_defaults(run=_check)
    repairs = commands.add_parser(
        "repair",
        help="mend what a check finds",
        description="Mend what a check finds, under WATCH. Exit status: 0 mended, 1 something is left, 2 could not.",
    )
    _take_models(repairs)
    _take_dry_run(repairs)
    repairs.add_argument(
        "--orphans", choices=("leave", "adopt", "delete"), default="leave", help="data without primary key"
    )
    repairs.add_argument(
        "--references", choices=("leave", "clear"), default="leave", help="references to missing objects"
    )
    repairs.add_argument(
        "--forget", action="append", default=[], metavar="FIELD", help="delete what a field no longer declared has left"
    )
    repairs.set_defaults(run=_repair)
    rebuilds = commands.add_parser(
        "rebuild",
        help="fill the indexes of a model from its data",
        description="Fill the indexes of a model, or of one field, from its data, online. Exit status: 0 done, 1 a "
        "unique value has two holders, 2 could not.",
    )
    rebuilds.add_argument("target", nargs="+", metavar="module:Model[.field]")
    _take_dry_run(rebuilds)
    rebuilds.set_defaults(run=_rebuild)


def _take_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="+", metavar="module:Model")


def _take_dry_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show the plans and send nothing")


def _models(given: argparse.Namespace) -> list[type[RedisModel]]:
    models = []
    for target in given.model:
        model, field = find(target)
        if field is not None:
            raise ArgumentError(f"{target!r} names a field. Way out: {target.rpartition('.')[0]}, its model")
        models.append(model)
    return models


def _check(given: argparse.Namespace) -> int:
    counts: Counter[str] = Counter()
    is_clean = True
    for finding in check(*_models(given), progress=_progress()):
        print(json.dumps(finding.facts()) if given.json else finding, flush=True)
        counts[finding.fault] += 1
        is_clean = is_clean and finding.is_note
    _say(", ".join(f"{count:,} {fault}" for fault, count in counts.items()) or "nothing found")
    return 0 if is_clean else 1


def _repair(given: argparse.Namespace) -> int:
    return _told(
        repair(
            *_models(given),
            dry_run=given.dry_run,
            orphans=given.orphans,
            references=given.references,
            forget=given.forget,
            progress=_progress(),
        ),
        given.dry_run,
    )


def _rebuild(given: argparse.Namespace) -> int:
    targets = [find(target) for target in given.target]
    status = 0
    for model, field in targets:
        fields = () if field is None else (field,)
        status = max(status, _told(rebuild(model, *fields, dry_run=given.dry_run, progress=_progress()), given.dry_run))
    return status


def _told(mended: Iterator[Mended], dry_run: bool) -> int:
    done = 0
    left: list[Finding] = []
    for batch in mended:
        if batch.plan.steps:
            print(batch.plan if dry_run else batch.plan.title, flush=True)
        for finding in batch.left:
            print(f"left as it is: {finding}", flush=True)
        done += len(batch.findings)
        left += batch.left
    _say(f"{done:,} {'would be mended' if dry_run else 'mended'}, {len(left):,} left")
    return 1 if left else 0


def _progress() -> Any:
    """Return what shows how far it is, where somebody looks."""
    return _show if sys.stderr.isatty() else None


def _show(progress: Progress) -> None:
    print(
        f"\r\x1b[K{progress.model}: {progress.done:,} of {progress.total:,} {progress.phase}", end="", file=sys.stderr
    )


def _say(text: str) -> None:
    print(f"\r\x1b[K{text}" if sys.stderr.isatty() else text, file=sys.stderr)
