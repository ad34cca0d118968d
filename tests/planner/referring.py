"""Models that refer to each other, declared by facts alone, and what a dict answers where nobody refers."""

from typing import Any

from tests.planner.stage import model, stored
from uowredis.commands.calls import Call
from uowredis.commands.commands import Borrowed, Read
from uowredis.schema.models import FieldSchema, Kind, ModelSchema, OnDelete, Relation


def related(to: ModelSchema, *declared: tuple[str, Kind, OnDelete, bool]) -> tuple[FieldSchema, ...]:
    """Return fields that refer to *to*: name, kind, on_delete, check."""
    return tuple(
        FieldSchema(name, kind, indexed=True, relation=Relation(to.name, on_delete, check, to))
        for name, kind, on_delete, check in declared
    )


def referring(name: str, fields: tuple[FieldSchema, ...], *, auto: bool = True) -> ModelSchema:
    """Return a model with *fields* that those they refer to know of."""
    schema = model(name, *fields, auto=auto)
    for field in fields:
        assert field.relation is not None
        assert field.relation.to is not None
        field.relation.to.referrers.append((schema, field))
    return schema


PERSON = model("Person", FieldSchema("name", Kind.ENTRY, indexed=True))


GROUP = referring(
    "Group",
    related(
        PERSON,
        ("owner", Kind.ENTRY, OnDelete.CLEAR, False),
        ("members", Kind.SET, OnDelete.CLEAR, False),
        ("queue", Kind.LIST, OnDelete.CLEAR, False),
        ("ranks", Kind.SORTED_SET, OnDelete.CLEAR, False),
        ("founder", Kind.STRING, OnDelete.CLEAR, False),
    ),
)


COUPLE = model(
    "Couple",
    FieldSchema("partner", Kind.ENTRY, indexed=True, unique=True, relation=Relation("Person", to=PERSON)),
)


#: Deleted with its person; its page keeps it from that.
ACCOUNT_OWNER = model("Owner", FieldSchema("name", Kind.ENTRY, indexed=True))


ACCOUNT = referring("Account", related(ACCOUNT_OWNER, ("owner", Kind.ENTRY, OnDelete.CASCADE, True)))


#: A stall, whose primary key is chosen, is deleted with its owner.
STALL_OWNER = model("Owner", FieldSchema("name", Kind.ENTRY, indexed=True))
STALL = referring("Stall", related(STALL_OWNER, ("owner", Kind.ENTRY, OnDelete.CASCADE, False)), auto=False)
#: A club keeps its members.
MEMBER = model("Member", FieldSchema("name", Kind.ENTRY, indexed=True))
CLUB = referring("Club", related(MEMBER, ("members", Kind.SET, OnDelete.RESTRICT, False)))
#: So does a league its players, whatever field has them.
PLAYER = model("Player", FieldSchema("name", Kind.ENTRY, indexed=True))
LEAGUE = referring(
    "League",
    related(
        PLAYER,
        ("squad", Kind.SET, OnDelete.RESTRICT, False),
        ("bench", Kind.LIST, OnDelete.RESTRICT, False),
        ("table", Kind.SORTED_SET, OnDelete.RESTRICT, False),
    ),
)
PAGE = referring("Page", related(ACCOUNT, ("account", Kind.STRING, OnDelete.RESTRICT, False)))


#: A badge is of one holder.
HOLDER = model("Holder", FieldSchema("name", Kind.ENTRY, indexed=True))


BADGE = referring(
    "Badge",
    (
        FieldSchema(
            "of", Kind.ENTRY, indexed=True, unique=True, relation=Relation("Holder", OnDelete.CLEAR, False, HOLDER)
        ),
    ),
)


#: A pass goes with its bearer; its code is unique.
BEARER = model("Bearer", FieldSchema("note", Kind.ENTRY))
PASS = model(
    "Pass",
    *related(BEARER, ("bearer", Kind.ENTRY, OnDelete.CASCADE, False)),
    FieldSchema("code", Kind.ENTRY, indexed=True, unique=True),
)
BEARER.referrers.append((PASS, PASS.fields["bearer"]))


#: A leaf keeps its site from being deleted, and goes with its chapter, which goes with the site.
SITE = model("Site", FieldSchema("name", Kind.ENTRY))
CHAPTER = referring("Chapter", related(SITE, ("site", Kind.ENTRY, OnDelete.CASCADE, False)))
LEAF = referring(
    "Leaf",
    related(SITE, ("site", Kind.STRING, OnDelete.RESTRICT, False))
    + related(CHAPTER, ("chapter", Kind.ENTRY, OnDelete.CASCADE, False)),
)


#: Its checked reference is to a model that nobody has declared.
STRAY = model(
    "Stray", FieldSchema("owner", Kind.ENTRY, indexed=True, relation=Relation("Nobody", OnDelete.CLEAR, True))
)

NOBODY: dict[Call, Any] = {
    ("SMEMBERS", f":group:{name}:1"): [] for name in ("owner", "members", "queue", "ranks", "founder")
} | {
    ("HGET", ":person:1:hash", "name"): None,
    ("SISMEMBER", ":person:collection", "1"): 1,
}


OWNED: dict[Call, Any] = {
    ("SMEMBERS", ":account:owner:1"): ["4"],
    ("HGET", ":owner:1:hash", "name"): "ann",
    ("SISMEMBER", ":owner:collection", "1"): 1,
    ("HGET", ":account:4:hash", "owner"): "1",
    ("SMEMBERS", ":page:account:4"): [],
}


def owner_of(pk: str) -> Borrowed:
    """Return what stands for the owner of a group."""
    field = GROUP.fields["owner"]
    return Borrowed(Read(stored(GROUP, pk), field.storage, field, "HGET", (field.name,), members=(field.name,)))


OWNER_OF_8 = ("HGET", ":group:8:hash", "owner")
