"""The fingerprint of a declaration, kept by who fills its indexes (decide, pure): being built, then ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from uowredis.commands.replies import plain
from uowredis.exceptions import Conflict
from uowredis.maintenance.finding import Finding, Replies
from uowredis.plan.plan import Plan
from uowredis.plan.requests import Apply, Deciding, Pause, Release
from uowredis.plan.steps import Fetch, Question, Round, Step
from uowredis.schema.fingerprint import BUILDING, LEFT, READY, FieldPrint, Fingerprint, compared, declared, lacks, told
from uowredis.schema.models import FieldSchema, ModelSchema
from uowredis.session.commit import back_off

#: What is to be written of a fingerprint that was found: entries, and names of those that go.
Change = Callable[[Fingerprint], tuple[Fingerprint, tuple[str, ...]]]

#: How often a change is tried while others change the fingerprint.
_ATTEMPTS = 50


def begun(model: ModelSchema, fields: Iterable[FieldSchema]) -> Deciding[Plan | None]:
    """Say that the indexes of *fields* are being built where they are not ready; return what was sent, if anything.

    Data without fingerprint gets none yet: whoever takes it as it is goes on.
    """

    def change(found: Fingerprint) -> tuple[Fingerprint, tuple[str, ...]]:
        marks = {}
        for field in fields if found else ():
            was = FieldPrint.read(found.get(field.stored, ""))
            if missing := lacks(field, was):
                ready = {word: READY for word in field.words if word not in missing}
                states = ready | dict.fromkeys(missing, BUILDING)
                marks[field.stored] = str(FieldPrint(field.kind.value, unique=False, indexes=states))
        return marks, ()

    return (yield from changed(model, "indexes are being built", change))


def ended(
    model: ModelSchema,
    fields: Iterable[FieldSchema],
    forgotten: Iterable[str],
    *,
    dry_run: bool,
) -> Deciding[Plan | None]:
    """Say that *fields* are as they are declared, their indexes ready; return what was sent, or would be, if anything.

    Args:
        model: whose fingerprint.
        fields: that are as they are declared; what indexes they have were filled.
        forgotten: the names in Redis of fields that have nothing stored any more.
        dry_run: send nothing.

    Raises:
        Conflict: where somebody wrote meanwhile by a declaration that has no such index.
    """
    wanted = list(fields)

    def change(found: Fingerprint) -> tuple[Fingerprint, tuple[str, ...]]:
        if lost := [field.name for field in wanted if not dry_run and LEFT in _states(field, found)]:
            raise Conflict(
                f"{', '.join(lost)} of {model.name}: somebody who declares no such index wrote meanwhile, so it is not "
                f"ready. Way out: end those processes, then rebuild again"
            )
        # Without one all were taken as they are, and so are the others from now on.
        others = {} if found else declared(model)
        right = others | {field.stored: str(FieldPrint.declared(field)) for field in wanted}
        gone = tuple(stored for stored in forgotten if stored in found and stored not in model.by_stored)
        return {stored: text for stored, text in right.items() if found.get(stored) != text}, gone

    return (yield from changed(model, "indexes are ready", change, dry_run=dry_run))


def _states(field: FieldSchema, found: Fingerprint) -> Iterable[str | None]:
    return lacks(field, FieldPrint.read(found.get(field.stored, ""))).values()


def changed(model: ModelSchema, why: str, change: Change, *, dry_run: bool = False) -> Deciding[Plan | None]:
    """Write what *change* makes of the fingerprint of *model*, under WATCH; return what was sent, if anything.

    Raises:
        Conflict: where others change it time and again.
    """
    key = model.keys.fingerprint
    read = Question(("HGETALL", key), "before: the fingerprint")
    for attempt in range(_ATTEMPTS):
        fetch = Fetch((key,), (read,))
        flat = plain((yield fetch)[0])
        entries, gone = change(told(flat))
        title = f"fingerprint of {model.name}: {why}"
        steps = [Step(("HSET", key, *(text for pair in entries.items() for text in pair)), title)] if entries else []
        steps += [Step(("HDEL", key, *gone), title)] if gone else []
        plan = Plan(title, (Round(fetch, (flat,)),), tuple(steps))
        if not steps or dry_run or (yield Apply(plan)) is not None:
            yield Release()
            return plan if steps else None
        yield Pause(back_off(attempt))
    raise Conflict(f"Others changed the fingerprint of {model.name}, {_ATTEMPTS} times in a row. Way out: again")


@attrs.frozen(repr=False)
class Unready(Finding):
    """The declaration says more than its fingerprint: an index that is not ready, a field that was not unique.

    Attributes:
        more: what, in words.
    """

    fault = "declaration changed"
    more: tuple[str, ...]

    @property
    def calls(self) -> tuple[tuple[str, ...], ...]:
        """The fingerprint."""
        return (("HGETALL", self.model.keys.fingerprint),)

    @property
    def watched(self) -> tuple[str, ...]:
        """Nothing: a repair or a rebuild that came to its end has mended it."""
        return ()

    def holds(self, replies: Replies) -> bool:
        """Return whether there is a fingerprint, and it says less."""
        return self.more == more_than(self.model, replies[self.calls[0]])

    @property
    def about(self) -> str:
        """What is wrong, in words."""
        return f"{self.model.name} is declared with more than its data was written with: {', '.join(self.more)}"


def more_than(model: ModelSchema, flat: list[str]) -> tuple[str, ...]:
    """Return what the declaration of *model* says that the fingerprint, as HGETALL tells it, does not, in words."""
    return compared(model, told(flat)).more if flat else ()
