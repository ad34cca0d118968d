"""Every documented command is there, says what it is, and answers what redis-py answers."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.fields.conversations import (
    ADDITIONS,
    CONVERSATIONS,
    DOCUMENTED,
    ELSEWHERE_COMPARED,
    EXPIRING,
    LASTING,
    REDIS_NAMES,
    STORED,
    Conversation,
    Theirs,
    call,
    models_of,
    unordered,
)
from tests.models import things
from tests.tools.backends import Backend
from uowredis import (
    InstanceHashField,
    Pending,
    RedisModel,
    Rejected,
    Session,
    StringField,
)
from uowredis.fields import reads, writes

DOCS = Path(__file__, "..", "..", "..", "docs").resolve()

#: What is called: field type, method, and the descriptor it must be.
COMMANDS = [
    (owner, method, descriptor)
    for table in (DOCUMENTED, ADDITIONS)
    for owner, spelled in table.items()
    for names, descriptor in zip(spelled, (reads, writes), strict=True)
    for method in names.split()
]


def named(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


def methods_of(owner: type) -> type:
    """Return the class that has the commands of *owner*."""
    return owner if owner is RedisModel else owner.bound  # type: ignore[attr-defined]


def declared(owner: type) -> dict[str, Any]:
    """Return the commands that *owner* has, by name."""
    found = inspect.getmembers_static(methods_of(owner))
    return {name: member for name, member in found if isinstance(member, reads | writes)}


# What is there


def test_seventy_four_commands_are_documented() -> None:
    """The documented list has 74 commands."""
    assert 74 == sum(len(names.split()) for spelled in DOCUMENTED.values() for names in spelled)


@pytest.mark.parametrize(("owner", "method", "descriptor"), COMMANDS, ids=named)
def test_a_documented_command_is_there(owner: type, method: str, descriptor: type) -> None:
    """Each documented command is a method of its field, and reads or writes as documented."""
    assert type(declared(owner)[method]) is descriptor


@pytest.mark.parametrize("owner", DOCUMENTED, ids=named)
def test_no_command_is_undocumented(owner: type) -> None:
    """A field has no command, and no other public name, beside the documented ones and the listed additions."""
    methods = methods_of(owner)
    expected = {method for kind, method, _ in COMMANDS if kind is owner}
    if owner is not RedisModel:
        expected |= {"key"}
        assert expected == {name for name in dir(methods) if not name.startswith("_")}
    else:
        assert expected == set(declared(owner))


@pytest.mark.parametrize(("owner", "method", "descriptor"), COMMANDS, ids=named)
def test_a_command_names_its_redis_command(owner: type, method: str, descriptor: type) -> None:
    """The first line of a command's docstring ends in its Redis name in brackets."""
    alias = declared(owner)[method].__name__
    name = REDIS_NAMES.get((owner, alias)) or REDIS_NAMES.get((None, alias)) or alias.upper()
    first = inspect.getdoc(getattr(methods_of(owner), method)).splitlines()[0]
    assert first.endswith(f" ({name}).")


def section(owner: type) -> str:
    """Return the sections on *owner* of the page on fields."""
    titles = ["On the instance" if owner is RedisModel else owner.__name__]
    titles += ["A key of its own"] if owner in STORED else []
    text = Path(DOCS, "fields.md").read_text("utf-8")
    found = [re.search(rf"^## {title}$(.*?)(?=^## |\Z)", text, re.M | re.S) for title in titles]
    assert None not in found, f"docs/fields.md has not the sections {titles}"
    return "".join(each[1] for each in found if each is not None)


def heading(owner: type, method: str) -> str:
    """Return *method* with its arguments and defaults, without types."""
    _, *parameters = inspect.signature(declared(owner)[method].say).parameters.values()
    return f"{method}({', '.join(str(p.replace(annotation=p.empty)) for p in parameters)})"


@pytest.mark.parametrize("owner", DOCUMENTED, ids=named)
def test_the_page_on_fields_has_every_command_and_no_other(owner: type) -> None:
    """docs/fields.md shows each command in the section of its field, with the arguments it has, and the reverse."""
    rows = re.findall(r"^\| `(\w+\(.*?\))` \| (reads|writes) \| \S", section(owner), re.M)
    expected = {(heading(owner, method), kind.__name__) for own, method, kind in COMMANDS if own is owner}
    assert (expected, len(expected)) == (set(rows), len(rows))


@pytest.mark.parametrize("owner", DOCUMENTED, ids=named)
def test_every_command_is_compared(owner: type) -> None:
    """The conversations below call every command of a field."""
    expected = {method for kind, method, _ in COMMANDS if kind is owner} - ELSEWHERE_COMPARED
    lasting = [talk[0].method for talk in LASTING] if owner in STORED else []
    assert expected == {conversation[-1].method for conversation in CONVERSATIONS[owner]}.union(lasting)


# What they answer


MODES = ("outside", "session", "pending")


@pytest.fixture
def client(server: Backend) -> redis.Redis:
    """redis-py on the same server, with the shapes of replies that redis-py has documented all along."""
    return server.client(decode_responses=True, protocol=2)


def ours(saying: Any, conversation: Conversation, mode: str, database: Any) -> Iterator[Any]:
    """Say *conversation* in the manner of *mode*; give its answers."""
    outside = {"outside": len(conversation), "session": len(conversation) - 1, "pending": 0}[mode]
    for one in conversation[:outside]:
        yield getattr(saying, one.method)(*one.args, **one.kwargs)
    with Session(database) as s:
        answers = [getattr(saying, one.method)(*one.args, **one.kwargs) for one in conversation[outside:]]
        s.commit()
    for one, answer in zip(conversation[outside:], answers, strict=True):
        writing = isinstance(inspect.getattr_static(saying, one.method), writes)
        assert writing is isinstance(answer, Pending)
        yield answer.result if writing else answer


def said(conversation: Conversation) -> str:
    return " ".join(map(str, conversation))


def compare(
    server: Backend, client: redis.Redis, owner: type, conversation: Conversation, models: tuple[str, ...]
) -> None:
    """Say *conversation* to fields and, by redis-py, to a plain key; compare replies and what is left."""
    database = server.database()
    theirs = Theirs(owner, client)
    expected = [(one, unordered(one, theirs.say(one))) for one in conversation]
    keys = {}
    for name, model in models_of(owner, database).items():
        for mode in MODES if name in models else ():
            example = model()
            storage = "hash" if owner in (InstanceHashField, RedisModel) else "field"
            keys[mode, name] = f":{name.lower()}:{example.pk.get()}:{storage}"
            saying = example if owner is RedisModel else example.field
            replies = zip(conversation, ours(saying, conversation, mode, database), strict=True)
            actual = [(one, unordered(one, reply)) for one, reply in replies]
            assert (mode, name, expected) == (mode, name, actual)
    data = server.dump()
    left = {which: (data.get(key.encode()), client.ttl(key) > 0) for which, key in keys.items()}
    assert dict.fromkeys(keys, (data.get(b"plain"), client.ttl("plain") > 0)) == left


@pytest.mark.parametrize(
    ("owner", "conversation"),
    [
        pytest.param(owner, conversation, id=f"{owner.__name__} {said(conversation)}")
        for owner, conversations in CONVERSATIONS.items()
        for conversation in conversations
    ],
)
def test_a_command_answers_what_redis_py_answers(
    server: Backend, client: redis.Redis, owner: type, conversation: Conversation
) -> None:
    """A command takes redis-py's arguments without the key, and gives its reply and its effect: at once, in a session,
    and in a session where all before it still waits; with an index and without."""
    compare(server, client, owner, conversation, ("Plain", "Indexed"))


@pytest.mark.parametrize("conversation", EXPIRING, ids=said)
def test_an_expiry_is_redis_own(server: Backend, client: redis.Redis, conversation: Conversation) -> None:
    """On a field without index a value expires as by redis-py, and what keeps or ends an expiry there does so here."""
    compare(server, client, StringField, conversation, ("Plain",))


@pytest.mark.parametrize("mode", MODES)
def test_a_sum_of_floats_is_spelled_without_noise(server: Backend, mode: str) -> None:
    """An indexed field holds a float sum as a real server spells it: shortest decimal, no zeros behind, no exponent."""
    database = server.database()
    indexed = models_of(StringField, database)["Indexed"]
    for old, amount, total in (("10", "0.1", "10.1"), ("0.1", "0.2", "0.3"), ("2.5", "0.5", "3"), ("1e3", 1, "1001")):
        conversation = (call("set", old), call("incrbyfloat", amount))
        field = indexed().field
        assert [True, float(total)] == list(ours(field, conversation, mode, database))
        assert total == field.get()


def test_bits_are_counted_by_bit_where_the_server_does(server: Backend, client: redis.Redis) -> None:
    """``bitcount(start, end, "BIT")`` answers what the server answers, also that it does not know it (before 7.0)."""
    example = models_of(StringField, server.database())["Plain"](field="foobar")
    client.set("plain", "foobar")
    try:
        expected = client.bitcount("plain", 5, 30, "BIT")
    except redis.ResponseError:
        with pytest.raises(Rejected):
            example.field.bitcount(5, 30, "BIT")
    else:
        assert expected == example.field.bitcount(5, 30, "BIT")


def test_yes_and_no_are_bool(server: Backend) -> None:
    """Replies that say yes or no are True or False, counts are int, float increments give float."""
    example = things(server.database())()
    replies = {
        "bool": [
            example.string.setnx("1"),
            example.headers.hsetnx("a", "1"),
            example.headers.hexists("a"),
            example.entry.hsetnx("1"),
            example.set.sismember("a"),
            example.string.set("1"),
            example.headers.hmset(a=1),
            example.hmset(entry="1"),
            example.list.ltrim(0, 1),
        ],
        "int": [
            example.entry.hset("1"),
            example.headers.hset("a", "1"),
            example.set.sadd("a"),
            example.set.srem("a"),
            example.string.incr(),
            example.headers.hincrby("a"),
            example.entry.hincrby(),
            example.headers.delete(),
            example.zset.zadd(a=1),
            example.zset.zrank("a"),
        ],
        "float": [
            example.string.incrbyfloat(1),
            example.headers.hincrbyfloat("a"),
            example.entry.hincrbyfloat(),
            example.zset.zscore("a"),
            example.zset.zincrby(1, "a"),
            example.zset.zadd({"a": 1}, incr=True),
        ],
    }
    assert {(kind, kind) for kind in replies} == {
        (kind, type(reply).__name__) for kind, given in replies.items() for reply in given
    }


def test_nothing_is_drawn_where_nothing_will_be(server: Backend) -> None:
    """Over pending writes that leave nothing, a draw with repetitions answers as the server does on a missing key."""
    database = server.database()
    example = things(database)()
    with Session(database) as s:
        example.zset.zadd(a=1)
        example.zset.zrem("a")
        assert ([], None) == (example.zset.zrandmember(-2), example.zset.zrandmember())
        example.headers.hset("a", "1")
        example.headers.hdel("a")
        assert ([], None) == (example.headers.hrandfield(-2), example.headers.hrandfield())
        s.rollback()


def test_the_table_of_every_command_tells_what_is_there() -> None:
    """Those that it says are there are those that fields send, each once; no other row names one of them."""
    text = Path(DOCS, "fields.md").read_text("utf-8").partition("## Every command of Redis")[2].partition("\n## ")[0]
    rows = [row.strip("| ").split(" | ") for row in text.splitlines() if row.startswith("| ")][2:]
    there: list[str] = []
    others: list[str] = []
    for *_, commands, how in ([cell.strip() for cell in row if cell.strip()] for row in rows):
        (there if how.startswith("there") else others).extend(re.findall(r"`([A-Z_]+)`", commands))
    sent = set()
    for owner, method, _ in COMMANDS:
        first = inspect.getdoc(getattr(methods_of(owner), method)).splitlines()[0]
        sent.add(first.rpartition("(")[2].removesuffix(")."))
    assert (sorted(sent), []) == (sorted(there), sorted({*there} & {*others}))
    assert len(there + others) == len({*there, *others})


def test_a_place_before_the_start_is_the_start(real: Backend) -> None:
    """BITPOS over a pending write answers as the server does after the commit, also where fakeredis does not."""
    database = real.database()
    field = models_of(StringField, database)["Plain"](field="bb").field
    asked = [(0, 0, -3), (1, -9, -2), (0, -1), (1, -1, -3)]
    with Session(database) as s:
        field.set("a")
        before = [field.bitpos(*places) for places in asked]
        s.commit()
    assert before == [field.bitpos(*places) for places in asked] == [0, 1, 0, 1]
