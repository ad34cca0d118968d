"""What goes in and comes out, checked by pydantic."""

from datetime import date

from pydantic import BaseModel, Field


class NewMember(BaseModel):
    """Who wants to join."""

    name: str = Field(min_length=1)
    email: str = Field(pattern=r"^\S+@\S+$")
    joined: date


class OneMember(NewMember):
    """A member."""

    pk: str


class NewBook(BaseModel):
    """A title, and how many copies there are of it."""

    isbn: str = Field(pattern=r"^[0-9X-]{10,17}$")
    title: str = Field(min_length=1)
    year: int
    copies: int = Field(default=1, ge=1)
    tags: list[str] = []


class OneBook(BaseModel):
    """A title in a list."""

    isbn: str
    title: str
    year: int
    copies: int


class Books(BaseModel):
    """One page of a list, and how long all of it is."""

    total: int
    books: list[OneBook]


class NewLoan(BaseModel):
    """Who takes what, until when."""

    isbn: str
    member: str
    due: date


class OneLoan(NewLoan):
    """A book that is out."""

    pk: str
