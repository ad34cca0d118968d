"""Numbers as Redis' SORT reads them: the client's reading is held against the server's."""

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.servers import RealServer
from uowredis.commands.arguments import sort_number

#: Texts at the edges of what C's ``strtod`` takes.
EDGES = [
    *(
        "",
        " ",
        " 7",
        "7 ",
        "\t7",
        "7\n",
        "\0",
        "7\0",
        "7\0 or so",
        "x\0",
        "+7",
        "-7",
        "+-7",
        ".",
        ".5",
        "5.",
        "5e",
        "5e3",
    ),
    *("1e400", "-1e400", "1e-400", "4.9e-324", "5e-324", "2.2250738585072014e-308", "2.2250738585072011e-308", "1e308"),
    *("inf", "-inf", "+infinity", "INF", "nan", "NaN", "-nan", "nan(1)", "infinit", "0x10", "0X1p4", "0x1p2000", "0x"),
    *(
        "0x.8",
        "0x1p-1074",
        "0x1p-1075",
        "0x1.8p-1074",
        "-0x1p-1074",
        "0x1p-1080",
        "1_0",
        "1,5",
        "٣",
        "0",
        "-0",
        "00",
        "1e",
    ),
]


def by_server(client: object, spelled: str) -> bool:
    """Return whether the server takes *spelled* for a number when it sorts."""
    client.delete("sorted")  # type: ignore[attr-defined]
    client.rpush("sorted", spelled.encode("utf-8", "surrogateescape"), b"1")  # type: ignore[attr-defined]
    try:
        client.sort("sorted")  # type: ignore[attr-defined]
    except redis.ResponseError:
        return False
    return True


def by_client(spelled: str) -> bool:
    try:
        sort_number(spelled)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("spelled", EDGES)
def test_the_edges_are_read_as_the_server_reads_them(real_server: RealServer, spelled: str) -> None:
    """What the server refuses is no number here, and the reverse."""
    with real_server.client() as client:
        assert by_server(client, spelled) is by_client(spelled)


@given(spelled=st.text(alphabet="0123456789.eExXpP+- \tinfa\0", max_size=8))
def test_random_texts_are_read_as_the_server_reads_them(real_server: RealServer, spelled: str) -> None:
    """The same for whatever is near a number."""
    with real_server.client() as client:
        assert by_server(client, spelled) is by_client(spelled)
