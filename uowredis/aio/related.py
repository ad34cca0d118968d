"""``RelatedModel`` on the loop of asyncio (declare). The fields are those of ``uowredis.contrib.related``."""

from __future__ import annotations

from typing import Any, ClassVar

from uowredis.aio.model import RedisModel
from uowredis.contrib.related.models import MetaRelatedModel, with_relations


class RelatedModel(RedisModel, metaclass=MetaRelatedModel):
    """A model that may refer to others and be referred to, whose commands are awaited."""

    abstract: ClassVar[bool] = True

    @classmethod
    def use_database(cls, database: Any) -> None:
        """Move the model to *database* with its relations, as on the blocking face; it waits for nothing."""
        with_relations(cls, database, super().use_database)
