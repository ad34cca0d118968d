"""Mends what was found (decide, pure): an ordinary plan for each batch of findings, applied under WATCH.

Under watch each finding is judged once more, by the very replies on which the plan stands; so nothing is mended that
somebody has mended, and no newer claim is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from uowredis.commands.replies import plain
from uowredis.exceptions import Conflict
from uowredis.maintenance.finding import Finding, Mending, Policy
from uowredis.plan.plan import Plan
from uowredis.plan.requests import Apply, Deciding, Pause, Release
from uowredis.plan.steps import Fetch, Question, Round, Step, with_order
from uowredis.planner.index import Index
from uowredis.session.commit import back_off

#: Arguments of one call that enters or takes out entries.
MOST_ARGUMENTS = 1_000

#: Keys that one batch watches at most: more of them meet others more often.
_MOST_WATCHED = 400

#: How often a single finding is tried while others change what it stands on.
_ATTEMPTS = 50


@attrs.frozen
class Mended:
    """What became of a batch of findings.

    Attributes:
        plan: what mends them; with ``dry_run`` what would.
        findings: those that it mends.
        left: those that nothing mends that may be done; somebody must decide.
        applied: whether the plan was sent.
    """

    plan: Plan
    findings: tuple[Finding, ...]
    left: tuple[Finding, ...]
    applied: bool


def batches(findings: Sequence[Finding]) -> Iterator[Sequence[Finding]]:
    """Yield *findings* in batches that watch no more keys than one transaction should."""
    batch: list[Finding] = []
    watched: set[str] = set()
    for finding in findings:
        if batch and len(watched | set(finding.watched)) > _MOST_WATCHED:
            yield batch
            batch, watched = [], set()
        batch.append(finding)
        watched |= set(finding.watched)
    if batch:
        yield batch


def mended(findings: Sequence[Finding], policy: Policy, *, dry_run: bool) -> Deciding[list[Mended]]:
    """Mend one batch of *findings*; where others are in the way, one by one.

    Raises:
        Conflict: where others change what a single one stands on, time and again.
    """
    tried = 0
    while True:
        done = yield from _once(findings, policy, dry_run)
        if done is not None:
            return [done]
        tried += 1
        if len(findings) > 1 and tried > 2:
            half = len(findings) // 2
            first = yield from mended(findings[:half], policy, dry_run=dry_run)
            return first + (yield from mended(findings[half:], policy, dry_run=dry_run))
        if tried >= _ATTEMPTS:
            raise Conflict(
                f"Others changed what mends {findings[0]} stands on, {tried} times in a row; it was left as it is. "
                f"Way out: repair again"
            )
        yield Pause(back_off(tried))


def _once(findings: Sequence[Finding], policy: Policy, dry_run: bool) -> Deciding[Mended | None]:
    watched = tuple(dict.fromkeys(key for finding in findings for key in finding.watched))
    calls = list(dict.fromkeys(call for finding in findings for call in finding.calls))
    fetch = Fetch(watched, tuple(Question(call, "guard: the finding holds") for call in calls))
    raw = yield fetch
    round_ = Round(fetch, [with_order(call, plain(reply)) for call, reply in zip(calls, raw, strict=True)])
    known = dict(zip(calls, round_.replies, strict=True))
    done: list[tuple[Finding, Mending]] = []
    left: list[Finding] = []
    for finding in findings:
        if finding.holds(known):
            mending = finding.mended(policy, known)
            if mending is None:
                left.append(finding)
            else:
                done.append((finding, mending))
    plan = Plan(_title([finding for finding, _ in done]), (round_,), tuple(_steps(done)))
    applied = bool(plan.steps) and not dry_run
    if applied and (yield Apply(plan)) is None:
        return None
    yield Release()
    return Mended(plan, tuple(finding for finding, _ in done), tuple(left), applied)


def _steps(done: Sequence[tuple[Finding, Mending]]) -> Iterator[Step]:
    index = Index()
    for finding, mending in done:
        yield from mending.steps
        for field, entry in mending.leaving:
            index.take(finding.model, field, (entry,), ())
        for field, entry in mending.entering:
            index.take(finding.model, field, (), (entry,))
    yield from index.steps(MOST_ARGUMENTS)


def _title(findings: Sequence[Finding]) -> str:
    counts: dict[str, int] = {}
    for finding in findings:
        what = f"{finding.fault} of {finding.model.name}"
        counts[what] = counts.get(what, 0) + 1
    return ", ".join(f"{count:,} {what}" for what, count in counts.items()) or "nothing to mend"
