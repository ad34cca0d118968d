"""``Call``: a Redis call as text, the command's name first (say, pure)."""

from __future__ import annotations

from typing import TypeAlias

Call: TypeAlias = tuple[str, ...]
