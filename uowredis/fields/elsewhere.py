"""Commands of Redis that no field has: why not, and what does it instead (pure)."""

_WAITS = "a command that waits would hold up all that is said after it"
_TWO_KEYS = "what one command finds in several keys is not put into a field at once"
_FIRST_OF = "from which of several keys it takes, only all of them tell"
_ENTRIES = "entries of a hash do not expire one by one, or their places in indexes would outlive them"

_MOVED = "lmove(), asked again after a while"
_LASTS = "expire() of a field of its own without index"

#: By the name of the command: why, and the way out.
ELSEWHERE: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("blpop", "blmpop"), (_WAITS, "lpop(), asked again after a while")),
    "brpop": (_WAITS, "rpop(), asked again after a while"),
    "bzpopmin": (_WAITS, "zpopmin(), asked again after a while"),
    **dict.fromkeys(("bzpopmax", "bzmpop"), (_WAITS, "zpopmax(), asked again after a while")),
    **dict.fromkeys(("blmove", "brpoplpush"), (_WAITS, _MOVED)),
    "lmpop": (_FIRST_OF, "lpop(count) or rpop(count)"),
    "zmpop": (_FIRST_OF, "zpopmin(count) or zpopmax(count)"),
    **dict.fromkeys(
        ("sinterstore", "sunionstore", "sdiffstore"), (_TWO_KEYS, "sinter(), sunion() or sdiff(), then sadd()")
    ),
    **dict.fromkeys(
        ("hexpire", "hpexpire", "hexpireat", "hpexpireat", "hpersist", "httl", "hpttl", "hgetex", "hsetex"),
        (_ENTRIES, _LASTS),
    ),
}
