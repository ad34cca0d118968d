"""Models of both faces, each from one mix-in of fields, on one server."""

from __future__ import annotations

from typing import Any

import attrs
import redis

from tests.tools.backends import Backend, Real
from tests.tools.host import Host
from uowredis import (
    HashField,
    InstanceHashField,
    ListField,
    RedisDatabase,
    SetField,
    SortedSetField,
    StringField,
    aio,
)
from uowredis.contrib.database import PipelineDatabase
from uowredis.contrib.related import CASCADE, FKStringField, M2MSetField, RelatedModel


class PersonFields:
    """What a person holds, on either face."""

    name = InstanceHashField(indexable=True, unique=True)
    city = InstanceHashField(indexable=True)
    visits = StringField()
    hits = StringField(indexable=True)
    tags = SetField(indexable=True)
    shelf = ListField()
    sold = SortedSetField()
    notes = HashField()


class GroupFields:
    """What a group holds, on either face."""

    owner = FKStringField("Person", on_delete=CASCADE)
    members = M2MSetField("Person", related_name="groups")
    title = InstanceHashField(indexable=True)


def database_on(server: Backend, **options: Any) -> aio.RedisDatabase:
    """Return a database of the asyncio face on *server*."""
    if isinstance(server, Real):
        return aio.RedisDatabase.from_url(server.server.url, **options)
    shared: Any = server
    return aio.RedisDatabase.embedded(server=shared.server, **options)


@attrs.define(eq=False)
class Awaited(Backend):
    """A server whose databases are of the asyncio face, held by a host.

    Attributes:
        of: the server, on which databases of the blocking face may be, too.
    """

    of: Backend
    host: Host

    @property
    def name(self) -> str:
        return self.of.name

    @property
    def real(self) -> bool:
        return self.of.real

    def _new_database(self, **kwargs: Any) -> Any:
        return self.host.hold(self.host.do(lambda: database_on(self.of, **kwargs)))

    def _new_client(self, **kwargs: Any) -> redis.Redis:
        return self.of._new_client(**kwargs)


@attrs.frozen
class Models:
    """The models of one face.

    Attributes:
        server: where their data is.
        database: of that face.
    """

    server: Backend
    database: Any
    Person: Any
    Group: Any

    @property
    def is_awaited(self) -> bool:
        """Whether they are of the asyncio face."""
        return isinstance(self.database, aio.RedisDatabase)

    @classmethod
    def on(cls, server: Backend, database: aio.RedisDatabase | None = None, **options: Any) -> Models:
        """Declare those of the asyncio face on *database*, by default a new one on *server*."""
        where = database_on(server, **options) if database is None else database

        class Person(PersonFields, aio.RelatedModel):
            database = where

        class Group(GroupFields, aio.RelatedModel):
            database = where

        return cls(server, where, Person, Group)

    @classmethod
    def blocking(cls, server: Backend) -> Models:
        """Declare those of the blocking face on *server*."""
        where: RedisDatabase = (
            PipelineDatabase.from_url(server.server.url)
            if isinstance(server, Real)
            else PipelineDatabase.embedded(server=server.server)  # type: ignore[attr-defined]
        )

        class Person(PersonFields, RelatedModel):
            database = where

        class Group(GroupFields, RelatedModel):
            database = where

        return cls(server, where, Person, Group)
