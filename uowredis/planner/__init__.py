"""Pending commands in, turn by turn, plan out (decide): one file per rule."""

from uowredis.commands.journal import Journal, Life
from uowredis.planner.planner import Limits, Planner

__all__ = ["Journal", "Life", "Limits", "Planner"]
