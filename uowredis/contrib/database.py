"""``PipelineDatabase`` and ``Pipeline``, as the documentation imports them: every database has pipelines."""

from uowredis.database import RedisDatabase
from uowredis.session.pipeline import Pipeline

__all__ = ["Pipeline", "PipelineDatabase"]

PipelineDatabase = RedisDatabase
