"""``python -m uowredis``: one file for each command (do)."""

from uowredis.cli.demo import demo, main

__all__ = ["demo", "main"]
