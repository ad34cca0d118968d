"""The worker beside the service, on the blocking face: reminds those whose books are due.

PYTHONPATH=docs/examples python -m service.worker redis://localhost:6379/0
"""

import functools
import sys
from datetime import date

from service.fields import NAMESPACE, BookFields, LoanFields, MemberFields
from uowredis import DoesNotExist, RedisDatabase, Session
from uowredis.contrib.related import RelatedModel


class Library(RelatedModel):
    """What the models share."""

    abstract = True
    database = RedisDatabase()
    namespace = NAMESPACE


class Member(MemberFields, Library):
    """Somebody who may borrow."""


class Book(BookFields, Library):
    """A title, of which there are some copies."""


class Loan(LoanFields, Library):
    """One copy that one member has."""


def remind(db: RedisDatabase, today: date) -> int:
    """Remind each member once of each book that was due before *today*; return how many reminders there were."""
    Library.use_database(db)
    reminded = 0
    for loan in Loan.collection().instances():
        try:
            reminded += db.run(functools.partial(_remind, loan, today), retry_for=10)
        except DoesNotExist:
            # It was given back meanwhile.
            continue
    return reminded


def _remind(loan: Loan, today: date, _: Session) -> bool:
    """Remind of one loan that is overdue, unless that was done; what is read here is watched."""
    due = loan.due.hget()
    if due is None or due >= today:
        return False
    book, member = loan.book.hget(), loan.member.hget()
    if book is None or member is None or loan.reminded.hget() is not None:
        return False
    Member(member).reminders.rpush(f"{Book(book).title.hget()} was due")
    loan.reminded.hset(today)
    return True


if __name__ == "__main__":
    with RedisDatabase.from_url(sys.argv[1]) as database:
        print(f"{remind(database, date.today())} reminders")
