"""What a type checker sees of relations, and of the sessions that a database makes; never run."""

from typing import Any, assert_type

from uowredis import RedisDatabase, Session
from uowredis.contrib import related
from uowredis.contrib.collection import ExtendedCollectionManager
from uowredis.contrib.database import Pipeline, PipelineDatabase

db = RedisDatabase.embedded()
piped = PipelineDatabase.embedded()


class Person(related.RelatedModel):
    database = db
    boss = related.FKStringField("self", related_name="staff")
    home = related.FKInstanceHashField("self", related_name="guests")
    friends = related.M2MSetField("self", related_name="friends_of")
    queue = related.M2MListField("self", related_name="queues")
    ranks = related.M2MSortedSetField("self", related_name="ranked_by")


def relations(person: Person) -> None:
    assert_type(person.boss.get(), str | None)
    assert_type(person.boss.instance(), Any)
    assert_type(person.home.hget(), str | None)
    assert_type(person.friends.smembers(), set[str])
    assert_type(person.friends(), ExtendedCollectionManager)
    assert_type(person.queue.lrange(0, -1), list[str])
    assert_type(person.queue.collection(), ExtendedCollectionManager)
    assert_type(person.ranks.zscore("1"), float | None)


def count(session: Session) -> int:
    return len(session.pending)


def sessions() -> None:
    assert_type(db.run(count), int)
    assert_type(piped.pipeline(), Pipeline)
    assert_type(piped.pipeline().execute(), list[Any])
