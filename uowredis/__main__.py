"""``python -m uowredis``."""

import sys

from uowredis.cli import main

if __name__ == "__main__":
    sys.exit(main())
