"""The asyncio face, under the same names: what waits for the server is awaited, a write in a session is only said.

What decides - planner, overlay, commands, rules - are the very same objects as on the blocking face, and so are fields
and data. Each class here is derived from its blocking twin and redefines what waits, in the same words.
"""

from uowredis.aio.collection import CollectionManager
from uowredis.aio.database import RedisDatabase
from uowredis.aio.model import RedisModel
from uowredis.aio.related import RelatedModel
from uowredis.aio.session import Session

__all__ = ["CollectionManager", "RedisDatabase", "RedisModel", "RelatedModel", "Session"]
