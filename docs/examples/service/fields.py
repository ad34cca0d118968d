"""What is stored, declared once for the service, which awaits, and the worker, which does not."""

from datetime import date

from uowredis import InstanceHashField, ListField, PKField, SetField
from uowredis.contrib.related import RESTRICT, FKInstanceHashField

#: Before all keys; they are those of ``docs/examples/lending``.
NAMESPACE = "lending"


class MemberFields:
    """Somebody who may borrow."""

    name = InstanceHashField(indexable=True)
    email = InstanceHashField(unique=True)
    joined = InstanceHashField(type=date)
    reminders = ListField()


class BookFields:
    """A title, of which there are some copies."""

    isbn = PKField()
    title = InstanceHashField()
    year = InstanceHashField(type=int, indexable=True)
    copies = InstanceHashField(type=int)
    tags = SetField(indexable=True)


class LoanFields:
    """One copy that one member has; whoever is a part of it cannot be deleted meanwhile."""

    book = FKInstanceHashField("Book", related_name="loans", on_delete=RESTRICT)
    member = FKInstanceHashField("Member", related_name="loans", on_delete=RESTRICT)
    due = InstanceHashField(type=date)
    reminded = InstanceHashField(type=date)
