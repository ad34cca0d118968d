"""A module as a command line names it: a model whose fields are yet stored under their old names."""

import os

from uowredis import InstanceHashField, RedisDatabase, RedisModel, SetField

url = os.environ.get("RENAMED_URL")


class Bike(RedisModel):
    """A bike on the server of the test, which it tells by the environment."""

    database = RedisDatabase.embedded() if url is None else RedisDatabase.from_url(url)
    colour = InstanceHashField(indexable=True, stored_as="color")
    labels = SetField(indexable=True, stored_as="tags")


class Abstract(RedisModel):
    """Has no objects."""

    abstract = True
