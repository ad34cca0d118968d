"""Which shard an object of a sharded model is in, and the place of each shard (declare, pure).

The places are spread evenly: that of shard *i* of *n* is in slot (i + 0.5) * 16,384 / n of a Redis Cluster.
"""

from __future__ import annotations

import binascii
import functools
import itertools
import re

from uowredis.schema.keys import SLOTS

#: So many places are in slots of their own.
MOST = SLOTS

#: Characters of what is added to a number, so that it comes into the right slot.
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

#: How many of them are looked up; longer ones are tried one by one.
_LOOKED_UP = 3

#: Longer ones are no numbers that Redis counts.
_LONGEST = 30

_OF_A_SHARD = re.compile(r"\d+\.[0-9a-z]+")


@functools.lru_cache(maxsize=MOST)
def tag_of(shard: int, shards: int) -> str:
    """Return the place of *shard*: its number, and the shortest text behind it that brings it into its slot."""
    slot = (2 * shard + 1) * SLOTS // (2 * shards)
    opening = f"{shard}."
    begun = binascii.crc_hqx(opening.encode(), 0)
    for length in itertools.count(1):
        # The checksum is linear: that of the opening and that of the rest are combined by XOR.
        wanted = (binascii.crc_hqx(bytes(length), begun) ^ slot) % SLOTS
        if length <= _LOOKED_UP:
            salt = _salts(length).get(wanted)
        else:
            tried = map("".join, itertools.product(_DIGITS, repeat=length))
            salt = next((each for each in tried if binascii.crc_hqx(each.encode(), 0) % SLOTS == wanted), None)
        if salt is not None:
            return opening + salt
    raise AssertionError(shard)  # some text has every checksum


@functools.cache
def _salts(length: int) -> dict[int, str]:
    """Return the first text of *length* with each checksum."""
    found: dict[int, str] = {}
    for each in map("".join, itertools.product(_DIGITS, repeat=length)):
        found.setdefault(binascii.crc_hqx(each.encode(), 0) % SLOTS, each)
    return found


def is_tag(place: str) -> bool:
    """Return whether *place* has the form of that of a shard."""
    return _OF_A_SHARD.fullmatch(place) is not None


def shard_of_tag(tag: str, shards: int) -> int | None:
    """Return the shard of which *tag* is the place, None for another place."""
    number = tag.partition(".")[0]
    if not is_tag(tag) or len(number) > _LONGEST or int(number) >= shards:
        return None
    return int(number) if tag_of(int(number), shards) == tag else None


def shard_of(pk: str, shards: int, *, auto: bool) -> int:
    """Return the shard in which the object with the primary key *pk* is.

    Args:
        pk: of the object.
        shards: how many there are.
        auto: Redis counts the primary keys; they say it themselves. Of one that is chosen the checksum does: of what
            stands between its first braces, where there is something.
    """
    if auto and pk.isdecimal() and len(pk) < _LONGEST:
        return int(pk) % shards
    opening = -1 if auto else pk.find("{")
    closing = pk.find("}", opening + 1) if opening >= 0 else -1
    counted = pk[opening + 1 : closing] if closing > opening + 1 else pk
    return binascii.crc_hqx(counted.encode("utf-8", "surrogateescape"), 0) % shards
