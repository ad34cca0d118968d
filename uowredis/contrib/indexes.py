"""Indexes of dates and times that are stored as text, of several fields, and several indexes as one (declare).

Those of dates and times see the text that is stored, ``2015-12-16 10:00:00`` or with a ``T``, also of a field with a
type: dates are compared as text, their parts as numbers.
"""

from __future__ import annotations

from collections.abc import Callable

from uowredis.schema.index import Index
from uowredis.schema.joint import EqualIndexWith, ScoredEqualIndex
from uowredis.schema.multi import MultiIndexes
from uowredis.schema.ranges import NumberRangeIndex, TextRangeIndex

__all__ = [
    "DateIndex",
    "DateSimpleTimeIndex",
    "DateTimeIndex",
    "EqualIndexWith",
    "MultiIndexes",
    "ScoredEqualIndex",
    "SimpleDateTimeIndex",
    "TimeIndex",
]


def _cut(start: int, stop: int | None) -> Callable[[str], str]:
    return lambda text: text[start:stop]


def _parts(*named: tuple[str, int, int]) -> list[type[Index]]:
    """Return indexes of numbers for the parts of a text: prefix, and from where to where it stands."""
    return [
        NumberRangeIndex.configure(
            prefix=prefix, transform=_cut(start, stop), of_text=True, name=f"{prefix.title()}Index"
        )
        for prefix, start, stop in named
    ]


_DATE = TextRangeIndex.configure(key="date", transform=_cut(0, 10), of_text=True, name="DateRangeIndex")
_TIME = TextRangeIndex.configure(key="time", transform=_cut(0, 8), of_text=True, name="TimeRangeIndex")
_FULL = TextRangeIndex.configure(key="full", of_text=True, name="FullDateTimeRangeIndex")

_DATE_PARTS = MultiIndexes.compose(_parts(("year", 0, 4), ("month", 5, 7), ("day", 8, 10)), name="DateIndexParts")
_TIME_PARTS = MultiIndexes.compose(_parts(("hour", 0, 2), ("minute", 3, 5), ("second", 6, 8)), name="TimeIndexParts")

#: Of dates: ``field__gte="2015-12"``, ``field__year=2015``, ``field__month__in=[1, 2]``, ``field__day__lt=15``.
DateIndex = MultiIndexes.compose([_DATE, _DATE_PARTS], name="DateIndex")
#: Of times: ``field__lt="10:30"``, ``field__hour=10``, ``field__minute=``, ``field__second=``.
TimeIndex = MultiIndexes.compose([_TIME, _TIME_PARTS], name="TimeIndex")

_MOMENT = [_FULL, _DATE.configure(prefix="date")], [_TIME.configure(prefix="time", transform=_cut(11, None))]

#: Of both: ``field__gt="2015-12-16 10"``, ``field__date__gte="2015"``, ``field__time__lt="10"``.
SimpleDateTimeIndex = MultiIndexes.compose(
    [*_MOMENT[0], *_MOMENT[1]], transform=_cut(0, 19), name="SimpleDateTimeIndex"
)
#: The same, and the parts of the date.
DateSimpleTimeIndex = MultiIndexes.compose(
    [*_MOMENT[0], _DATE_PARTS, *_MOMENT[1]], transform=_cut(0, 19), name="DateSimpleTimeIndex"
)
#: The same, and the parts of the time.
DateTimeIndex = MultiIndexes.compose(
    [DateSimpleTimeIndex, _TIME_PARTS.configure(transform=_cut(11, None))], name="DateTimeIndex"
)

for _public in (EqualIndexWith, MultiIndexes, ScoredEqualIndex):
    _public.__module__ = __name__
del _public
