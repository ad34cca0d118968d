"""The only code that waits (do): connections, transactions, and what is read under watch."""

from uowredis.executor.executor import Executor

__all__ = ["Executor"]
