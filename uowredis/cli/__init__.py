"""``python -m uowredis``: one file for each command (do)."""

from uowredis.cli.demo import demo
from uowredis.cli.main import main

__all__ = ["demo", "main"]
