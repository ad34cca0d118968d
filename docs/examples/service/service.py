"""The service: a session for each request, which is committed before the answer goes out.

PYTHONPATH=docs/examples uvicorn --factory service.service:on_url     # LENDING_URL=redis://...
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from lending.bodies import Books, NewBook, NewLoan, NewMember, OneBook, OneLoan, OneMember

from service.fields import NAMESPACE, BookFields, LoanFields, MemberFields
from uowredis import Conflict, DoesNotExist, RestrictedError, UniquenessError, aio


class Library(aio.RelatedModel):
    """What the models share. The service moves them to its own database; no connection is opened here."""

    abstract = True
    database = aio.RedisDatabase()
    namespace = NAMESPACE


class Member(MemberFields, Library):
    """Somebody who may borrow."""


class Book(BookFields, Library):
    """A title, of which there are some copies."""


class Loan(LoanFields, Library):
    """One copy that one member has."""


def service(db: aio.RedisDatabase) -> FastAPI:
    """Return the service on *db*, which refuses whatever is written outside of a session."""
    Library.use_database(db)

    @asynccontextmanager
    async def connected(_: FastAPI) -> AsyncIterator[None]:
        async with db:
            yield

    app = FastAPI(title="A lending library", lifespan=connected)

    async def session() -> AsyncIterator[aio.Session]:
        # It watches nothing, so that its reads share a write with those of other requests.
        async with db.begin() as opened:
            yield opened

    # scope="function": committed before the answer is sent, so that the answer can be that it was refused.
    work = Depends(session, scope="function")

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
        member = await Member.create(**new.model_dump())
        return OneMember(pk=await member.pk.get(), **new.model_dump())

    @app.get("/members/{pk}", dependencies=[work])
    async def member(pk: str) -> OneMember:
        found = await Member.get(pk)
        return OneMember.model_validate({"pk": pk, **await found.hgetall()})

    @app.post("/books", status_code=201, dependencies=[work])
    async def buy(new: NewBook) -> OneBook:
        await Book.create(**new.model_dump())
        return OneBook(**new.model_dump(exclude={"tags"}))

    @app.get("/books")
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
        rows = found.copy().sort("title", alpha=True).values(Book.isbn, Book.title, Book.year, Book.copies)
        # With no session open, both are asked at once.
        total, shown = await asyncio.gather(found.count(), rows[(page - 1) * size : page * size])
        return Books(total=total, books=[OneBook.model_validate(row) for row in shown])

    @app.delete("/books/{isbn}", status_code=204, dependencies=[work])
    async def discard(isbn: str) -> None:
        await (await Book.get(isbn)).delete()

    @app.post("/loans", status_code=201)
    async def lend(new: NewLoan) -> OneLoan:
        async def decide(_: aio.Session) -> OneLoan:
            # What is read here is watched: where another request is faster, this is decided anew.
            book, borrower = await Book.get(new.isbn), await Member.get(new.member)
            if await Loan.collection(book=book).count() >= (await book.copies.hget() or 0):
                raise HTTPException(409, "All copies are out")
            loan = await Loan.create(book=book, member=borrower, due=new.due)
            return OneLoan(pk=await loan.pk.get(), **new.model_dump())

        return await db.run(decide, retry_for=10)

    @app.get("/members/{pk}/loans", dependencies=[work])
    async def loans(pk: str) -> list[OneLoan]:
        found = Loan.collection(member=await Member.get(pk)).sort()
        rows = await found.values("pk", Loan.book, Loan.member, Loan.due).list()
        return [OneLoan.model_validate({**row, "isbn": row["book"]}) for row in rows]

    @app.delete("/loans/{pk}", status_code=204, dependencies=[work])
    async def give_back(pk: str) -> None:
        await (await Loan.get(pk)).delete()

    return app


def on_url() -> FastAPI:
    """Return the service on the Redis that the environment names."""
    return service(aio.RedisDatabase.from_url(os.environ["LENDING_URL"], outside="refuse"))
