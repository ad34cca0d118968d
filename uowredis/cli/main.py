"""``python -m uowredis``: reads the command line, runs the command, and tells how it ended (do)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from uowredis import __version__
from uowredis.cli.demo import add as add_demo
from uowredis.cli.rename import add as add_rename
from uowredis.cli.upkeep import add as add_upkeep
from uowredis.exceptions import UowError

#: Each says what a command takes, and what runs it.
_COMMANDS = (add_demo, add_upkeep, add_rename)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status.

    Args:
        arguments: those of the command line by default.

    Returns:
        What the command answers; 2 where it could not do its work, with the reason on stderr.
    """
    parser = argparse.ArgumentParser(prog="uowredis", description="An object mapper for Redis: a unit of work.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    for add in _COMMANDS:
        add(commands)
    given = parser.parse_args(arguments)
    try:
        status: int = given.run(given)
    except (UowError, ValueError) as error:
        print(f"uowredis: {error}", file=sys.stderr)
        return 2
    return status
