"""Pending commands in, turn by turn, plan out (decide): one file per rule."""

from uowredis.commands.journal import Life, Lives
from uowredis.planner.planner import Limits, Planner

__all__ = ["Life", "Limits", "Lives", "Planner"]
