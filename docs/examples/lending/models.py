"""What is stored: members, books, and who has which book until when."""

from datetime import date

from uowredis import InstanceHashField, PKField, RedisDatabase, SetField
from uowredis.contrib.related import RESTRICT, FKInstanceHashField, Related, RelatedModel


class Library(RelatedModel):
    """What the models share. The service moves them to its own database; no connection is opened here."""

    abstract = True
    database = RedisDatabase()
    namespace = "lending"


class Member(Library):
    """Somebody who may borrow."""

    name = InstanceHashField(indexable=True)
    email = InstanceHashField(unique=True)
    joined = InstanceHashField(type=date)
    loans: Related["Loan"]


class Book(Library):
    """A title, of which there are some copies."""

    isbn = PKField()
    title = InstanceHashField()
    year = InstanceHashField(type=int, indexable=True)
    copies = InstanceHashField(type=int)
    tags = SetField(indexable=True)
    loans: Related["Loan"]


class Loan(Library):
    """One copy that one member has; whoever is a part of it cannot be deleted meanwhile."""

    book = FKInstanceHashField(Book, related_name="loans", on_delete=RESTRICT)
    member = FKInstanceHashField(Member, related_name="loans", on_delete=RESTRICT)
    due = InstanceHashField(type=date)
