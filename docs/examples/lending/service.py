"""The service: each request is one unit of work, which is committed before the answer goes out.

PYTHONPATH=docs/examples python -c "from lending.service import try_it; try_it()"     # in this process
PYTHONPATH=docs/examples uvicorn --factory lending.service:on_url                     # LENDING_URL=redis://...
"""

import os
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse

from lending.bodies import Books, NewBook, NewLoan, NewMember, OneBook, OneLoan, OneMember
from lending.models import Book, Library, Loan, Member
from uowredis import Conflict, DoesNotExist, RedisDatabase, RestrictedError, Session, UniquenessError


def service(db: RedisDatabase) -> FastAPI:
    """Return the service on *db*, which refuses whatever is written outside of a unit of work."""
    Library.use_database(db)
    app = FastAPI(title="A lending library")

    async def unit_of_work() -> AsyncIterator[Session]:
        # What a request reads is watched: it decides on values that still hold at its commit, or is a Conflict.
        with db.begin(watch_reads=True) as session:
            yield session

    # scope="function": committed before the answer is sent, so that the answer can be that it was refused.
    work = Depends(unit_of_work, scope="function")

    @app.exception_handler(DoesNotExist)
    async def missing(request: Request, error: DoesNotExist) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 404)

    @app.exception_handler(UniquenessError)
    async def taken(request: Request, error: UniquenessError) -> JSONResponse:
        return JSONResponse({"detail": f"{error.field} {error.value!r} is taken"}, 409)

    @app.exception_handler(RestrictedError)
    async def in_use(request: Request, error: RestrictedError) -> JSONResponse:
        return JSONResponse({"detail": f"{len(error.referrers)} are out"}, 409)

    @app.exception_handler(Conflict)
    async def overtaken(request: Request, error: Conflict) -> JSONResponse:
        return JSONResponse({"detail": "Another request was faster"}, 503, headers={"Retry-After": "0"})

    @app.post("/members", status_code=201, dependencies=[work])
    async def join(new: NewMember) -> OneMember:
        member = Member(**new.model_dump())
        return OneMember(pk=member.pk.get(), **new.model_dump())

    @app.get("/members/{pk}", dependencies=[work])
    async def member(pk: str) -> OneMember:
        return OneMember.model_validate({"pk": pk, **Member(pk).hgetall()})

    @app.post("/books", status_code=201, dependencies=[work])
    async def buy(new: NewBook) -> OneBook:
        Book(**new.model_dump())
        return OneBook(**new.model_dump(exclude={"tags"}))

    @app.get("/books", dependencies=[work])
    async def books(
        tag: Annotated[list[str] | None, Query()] = None,
        year: int | None = None,
        page: Annotated[int, Query(ge=1)] = 1,
        size: Annotated[int, Query(ge=1, le=100)] = 10,
    ) -> Books:
        found = Book.collection()
        for each in tag or ():
            found.filter(tags=each)
        if year is not None:
            found.filter(year=year)
        total = len(found)
        rows = found.sort("title", alpha=True).values(Book.isbn, Book.title, Book.year, Book.copies)
        shown = rows[(page - 1) * size : page * size]
        return Books(total=total, books=[OneBook.model_validate(row) for row in shown])

    @app.delete("/books/{isbn}", status_code=204, dependencies=[work])
    async def discard(isbn: str) -> None:
        Book(isbn).delete()

    @app.post("/loans", status_code=201, dependencies=[work])
    async def lend(new: NewLoan) -> OneLoan:
        book, borrower = Book(new.isbn), Member(new.member)
        if len(book.loans()) >= (book.copies.hget() or 0):
            raise HTTPException(409, "All copies are out")
        loan = Loan(book=book, member=borrower, due=new.due)
        return OneLoan(pk=loan.pk.get(), **new.model_dump())

    @app.get("/members/{pk}/loans", dependencies=[work])
    async def loans(pk: str) -> list[OneLoan]:
        found = Member(pk).loans().sort().values("pk", Loan.book, Loan.member, Loan.due)
        return [OneLoan.model_validate({**row, "isbn": row["book"]}) for row in found]

    @app.delete("/loans/{pk}", status_code=204, dependencies=[work])
    async def give_back(pk: str) -> None:
        Loan(pk).delete()

    return app


def on_url() -> FastAPI:
    """Return the service on the Redis that the environment names."""
    return service(RedisDatabase.from_url(os.environ["LENDING_URL"], outside="refuse"))
