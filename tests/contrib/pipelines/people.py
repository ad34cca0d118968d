"""Persons with fields of every type, indexed and not, and groups that refer to them."""

from typing import Any

from tests.tools.backends import Backend, Real
from uowredis.contrib.database import PipelineDatabase

#: The indexed fields, for `tests.contrib.related.wholeness`.
SHAPES = {
    "person": {"name": None, "city": None, "tags": None, "rows": None, "scores": None},
    "group": {"title": None, "owner": "person", "members": "person"},
}


def on(server: Backend, **options: Any) -> PipelineDatabase:
    """Return a database with pipelines on *server*, the caller's to close."""
    if isinstance(server, Real):
        return PipelineDatabase.from_url(server.server.url, **options)
    return PipelineDatabase.embedded(server=server.server, **options)  # type: ignore[attr-defined]  # the other kind
