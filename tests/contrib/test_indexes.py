"""Indexes of dates and times, against what Python makes of the same texts; several kinds as one."""

from datetime import date, datetime
from random import Random
from typing import Any

import pytest

from tests.tools.backends import Backend
from uowredis import ImplementationError, InstanceHashField, RedisModel, Session, SetField, StringField, check
from uowredis.contrib.indexes import (
    DateIndex,
    DateSimpleTimeIndex,
    DateTimeIndex,
    MultiIndexes,
    SimpleDateTimeIndex,
    TimeIndex,
)
from uowredis.indexes import EqualIndex, NumberRangeIndex, TextRangeIndex

MOMENTS = [datetime(2015, 12, 16, 10, 0, 0), datetime(2015, 12, 16, 9, 59, 59), datetime(2016, 1, 1, 0, 0, 7)]

#: Of each kind the filters, each with what it asks for and who fulfils it.
ASKED: dict[str, list[tuple[str, Any, Any]]] = {
    "day": [
        ("gte", "2015-12-16", lambda at: at.date() >= date(2015, 12, 16)),
        ("lt", "2016", lambda at: at.year < 2016),
        ("startswith", "2015-12", lambda at: (at.year, at.month) == (2015, 12)),
        ("year", 2015, lambda at: at.year == 2015),
        ("year__gt", 2015, lambda at: at.year > 2015),
        ("month__in", [1, 2], lambda at: at.month in (1, 2)),
        ("day__lte", "1", lambda at: at.day <= 1),
    ],
    "hour": [
        ("lt", "10:00:00", lambda at: at.hour < 10),
        ("hour__gte", 9, lambda at: at.hour >= 9),
        ("minute", 59, lambda at: at.minute == 59),
        ("second__gt", 6, lambda at: at.second > 6),
    ],
    "at": [
        ("gt", "2015-12-16 10", lambda at: at >= datetime(2015, 12, 16, 10)),
        ("date", "2015-12-16", lambda at: at.date() == date(2015, 12, 16)),
        ("date__gte", "2016", lambda at: at.year >= 2016),
        ("time__lte", "09:59:59", lambda at: at.hour < 10),
        ("year", 2016, lambda at: at.year == 2016),
        ("hour", 10, lambda at: at.hour == 10),
        ("second__lt", 8, lambda at: at.second < 8),
    ],
}


def test_dates_and_times(server: Backend) -> None:
    """Whole, by their beginnings, and by their parts, over pending writes, too."""
    on = server.database()

    class Event(RedisModel):
        database = on
        day = InstanceHashField(indexable=True, indexes=[DateIndex])
        hour = StringField(indexable=True, indexes=[TimeIndex])
        at = InstanceHashField(indexable=True, indexes=[DateTimeIndex])

    def asked_all() -> None:
        for field, filters in ASKED.items():
            for suffix, value, fulfils in filters:
                wanted = {str(number) for number, at in moments.items() if fulfils(at)}
                assert wanted == Event.collection(**{f"{field}__{suffix}": value}), (field, suffix)

    moments = dict(enumerate(MOMENTS, 1))
    for at in MOMENTS:
        Event(day=str(at.date()), hour=str(at.time()), at=str(at))
    asked_all()
    with Session(on) as s:
        moved = moments[1] = datetime(2016, 1, 1, 9, 59, 8)
        Event("1").hmset(day=str(moved.date()), at=str(moved))
        Event("1").hour.set(str(moved.time()))
        asked_all()
        s.commit()
    asked_all()
    assert [] == list(check(Event))
    for event in Event.collection().instances():
        event.delete()
    assert {b":event:max_pk", b":event:__fingerprint__"} >= server.dump().keys()


def test_the_keys_are_those_of_redis_limpyd(embedded: Backend) -> None:
    """By prefix and key, as its documentation of storage says."""

    class Event(RedisModel):
        database = embedded.database()
        at = InstanceHashField(indexable=True, indexes=[DateSimpleTimeIndex])

    Event(at="2015-12-16 10:00:00.5")
    keys = {key.decode().removeprefix(":event:at:") for key in embedded.dump() if key.startswith(b":event:at:")}
    assert {
        "full",
        "date:date",
        "time:time",
        *(f"{part}:number-range" for part in ("year", "month", "day")),
    } == keys
    members = embedded.client().zrange(":event:at:full", 0, -1)
    assert [b"2015-12-16 10:00:00:TEXT-RANGE-SEPARATOR:1"] == members


def test_dates_of_a_type(server: Backend) -> None:
    """What is seen is the text that is stored; filters take values of the type."""

    class Event(RedisModel):
        database = server.database()
        day = InstanceHashField(type=date, indexable=True, indexes=[DateIndex])
        days = SetField(type=date, indexable=True, indexes=[EqualIndex, SimpleDateTimeIndex])

    event = Event(day=date(2015, 12, 16), days=[date(2015, 1, 1), date(2016, 1, 1)])
    assert ["1"] == Event.collection(day__gt=date(2015, 12, 15), day__year=2015, days__date__lt=date(2015, 6, 1))
    event.days.srem(date(2015, 1, 1))
    assert [] == Event.collection(days__lt="2015-06")
    assert ["1"] == Event.collection(days=date(2016, 1, 1))
    assert [] == list(check(Event))


def test_several_kinds_as_one(embedded: Backend) -> None:
    """The transform of the whole comes first; the key tells two apart; what is no kind is refused."""
    random = Random(1)
    words = MultiIndexes.compose(
        [EqualIndex.configure(prefix="first"), TextRangeIndex], transform=lambda text: text.partition(" ")[0] or None
    )
    lengths = MultiIndexes.compose(
        [NumberRangeIndex.configure(transform=len, prefix="long")], key="own", name="Lengths"
    )
    assert "Lengths" == lengths.__name__

    class Note(RedisModel):
        database = embedded.database()
        text = InstanceHashField(indexable=True, indexes=[words, lengths])

    texts = {str(n): " ".join(random.choices(["a", "bb", ""], k=3)) for n in range(1, 20)}
    for text in texts.values():
        Note(text=text)
    assert {pk for pk, text in texts.items() if text.split(" ")[0] == "a"} == Note.collection(text__first="a")
    assert {pk for pk, text in texts.items() if text.split(" ")[0] > "a"} == Note.collection(text__gt="a")
    assert {pk for pk, text in texts.items() if len(text) > 4} == Note.collection(text__long__gt=4)
    assert b":note:text:long:number-range-own" in embedded.dump()
    assert [] == list(check(Note))
    for wrong in ([], [str], "x"):
        with pytest.raises(TypeError, match="kinds of index"):
            MultiIndexes.compose(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="key"):
        MultiIndexes.compose([EqualIndex], key="a:b")
    with pytest.raises(ImplementationError, match="same keys"):
        type(RedisModel)(
            "Other",
            (RedisModel,),
            {"database": embedded.database(), "text": StringField(indexable=True, indexes=[words, TextRangeIndex])},
        )
