"""What a type checker sees of relations, and of the sessions that a database makes; never run."""

from typing import Any, assert_type
from uuid import UUID, uuid4

from uowredis import Pending, PKField, RedisDatabase, RedisModel, Session, StringField
from uowredis.collection import CollectionManager
from uowredis.contrib import related
from uowredis.contrib.collection import ExtendedCollectionManager
from uowredis.contrib.database import Pipeline, PipelineDatabase

db = RedisDatabase.embedded()
piped = PipelineDatabase.embedded()


class Author(related.RelatedModel):
    database = db
    books: related.Related["Book"]
    readers: related.Related["Person"]


class Place(related.RelatedModel):
    database = db
    id = PKField(type=UUID)


class Person(related.RelatedModel):
    database = db
    author = related.FKStringField(Author, related_name="readers")
    home = related.FKInstanceHashField[Place, UUID](Place, related_name="guests")
    boss = related.FKStringField("self", related_name="staff")
    friend = related.FKStringField["Person"]("self", related_name="befriended")
    friends = related.M2MSetField["Person"]("self", related_name="friends_of")
    queue = related.M2MListField("self", related_name="queues")
    authors = related.M2MSetField(Author)
    ranks = related.M2MSortedSetField(Author, related_name="ranked_by")


class Book(related.RelatedModel):
    database = db
    author = related.FKInstanceHashField(Author, related_name="books", on_delete=related.CASCADE)
    visits = StringField()


def references(person: Person, author: Author, place: Place, book: Book) -> None:
    assert_type(person.author.get(), str | None)
    assert_type(person.author.instance(), Author | None)
    assert_type(person.home.hget(), UUID | None)
    assert_type(person.home.instance(lazy=True), Place | None)
    assert_type(person.boss.instance(), RedisModel | None)  # given by its name, it is not known
    assert_type(person.friend.instance(), Person | None)  # ... unless it is said
    assert_type(Person.author, related.FKStringField[Author])
    assert_type(person.author.set(author), bool | None)
    assert_type(person.author.set("1"), bool | None)
    assert_type(person.author.set(book.author), bool | None)
    assert_type(person.author.set(author.pk), bool | None)
    assert_type(person.home.hset(place), int)
    assert_type(person.home.hset(uuid4()), int)
    assert_type(person.boss.set(person), bool | None)
    person.author.set(book)  # type: ignore[call-overload]
    person.home.hset(book)  # type: ignore[arg-type]
    person.author.set(None)  # type: ignore[call-overload]


def members(person: Person, author: Author, book: Book) -> None:
    assert_type(person.friends.smembers(), set[str])
    assert_type(person.friends.sadd(person, "1"), int)
    assert_type(person.friends.sismember(person), bool)
    assert_type(person.authors.sadd(author, person.author), int)
    assert_type(person.friends(), CollectionManager[Person])
    assert_type(person.friends().instances()[0], Person)
    assert_type(person.authors(name="x"), ExtendedCollectionManager[Author])
    assert_type(person.queue.collection(), ExtendedCollectionManager[RedisModel])
    assert_type(person.queue.lrange(0, -1), list[str])
    assert_type(person.ranks.zscore(author), float | None)
    assert_type(person.ranks.zrange(0, -1, withscores=True), list[tuple[str, float]])
    person.authors.sadd(book)  # type: ignore[arg-type]


def other_side(author: Author) -> None:
    assert_type(author.books, related.Related[Book])
    assert_type(author.books(title="x"), CollectionManager[Book])
    assert_type(list(author.books().instances()), list[Book])
    assert_type(author.readers()[0], str)


def count(session: Session) -> int:
    return len(session.pending)


def done(pipeline: Pipeline) -> int:
    return len(pipeline.pending)


@db.begin(join=True)
def joined(name: str) -> int:
    return len(name)


def sessions(book: Book) -> None:
    assert_type(db.run(count), int)
    assert_type(joined("x"), int)
    assert_type(piped.pipeline(), Pipeline)
    assert_type(piped.pipeline().execute(), list[Any])
    assert_type(piped.transaction(done), list[Any])
    assert_type(piped.transaction(done, value_from_callable=True), int)
    db.begin(watch_read=True)  # type: ignore[call-overload]
    db.begin(attempts="3")  # type: ignore[call-overload]
    db.run(count, dry_run=True)  # type: ignore[call-arg]
    piped.pipeline(on_pending="rase")  # type: ignore[arg-type]
    with db.begin(watch_reads=True, on_pending="warn") as s:
        assert_type(s.later(book.visits.incr()), Pending[int])
        assert_type(s.later(book.visits.incr()).result, int)
        assert_type(s.later(book.visits.set("1", get=True)), Pending[str | None])
