"""Upkeep of data that is there: it is checked, repaired, indexed anew, renamed."""

from uowredis.maintenance.checking import Progress
from uowredis.maintenance.finding import Finding
from uowredis.maintenance.fingerprint import Unready
from uowredis.maintenance.mending import Mended
from uowredis.maintenance.upkeep import check, rebuild, repair
from uowredis.maintenance.wrong_data import (
    CounterBehind,
    Dangling,
    Empty,
    Orphan,
    UndeclaredField,
    UndeclaredIndex,
    WrongType,
)
from uowredis.maintenance.wrong_entries import MissingEntry, StaleEntry, TwoHolders, VanishedEntry
from uowredis.maintenance.wrong_places import Misplaced
from uowredis.maintenance.wrong_texts import Misspelled, Unreadable

__all__ = [
    "CounterBehind",
    "Dangling",
    "Empty",
    "Finding",
    "Mended",
    "Misplaced",
    "MissingEntry",
    "Misspelled",
    "Orphan",
    "Progress",
    "StaleEntry",
    "TwoHolders",
    "UndeclaredField",
    "UndeclaredIndex",
    "Unreadable",
    "Unready",
    "VanishedEntry",
    "WrongType",
    "check",
    "rebuild",
    "repair",
]
