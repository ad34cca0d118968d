"""Upkeep of data that is there: it is checked, repaired, indexed anew, renamed."""

from uowredis.maintenance.checking import Progress
from uowredis.maintenance.findings import (
    CounterBehind,
    Dangling,
    Empty,
    Finding,
    MissingEntry,
    Orphan,
    StaleEntry,
    TwoHolders,
    UndeclaredField,
    UndeclaredIndex,
    VanishedEntry,
    WrongType,
)
from uowredis.maintenance.mending import Mended
from uowredis.maintenance.upkeep import check, rebuild, repair

__all__ = [
    "CounterBehind",
    "Dangling",
    "Empty",
    "Finding",
    "Mended",
    "MissingEntry",
    "Orphan",
    "Progress",
    "StaleEntry",
    "TwoHolders",
    "UndeclaredField",
    "UndeclaredIndex",
    "VanishedEntry",
    "WrongType",
    "check",
    "rebuild",
    "repair",
]
