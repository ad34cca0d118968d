"""What is said to both mappers, redis-limpyd and this one: it must leave the same keys.

A command is a primary key, a field, a method and its arguments; of no primary key: a new object with values.
"""

from typing import Any

#: What both keep right.
COMMANDS: list[tuple[Any, ...]] = [
    (None, {"name": "Ann", "city": "Rome", "kinds": ["a", "b"], "price": 10, "at": "2015-12-16 10:00:00"}),
    (None, {"name": "Ann", "city": "Bern", "kinds": ["a"], "price": -2.5, "at": "2016-01-01 00:30:05"}),
    (None, {"name": "Ann B", "first": "x", "last": "y:z", "state": "open", "rank": 3, "code": "one", "worth": 7}),
    (None, {"first": "x", "last": "y", "state": "open", "rank": 1, "code": "two"}),
    (None, {"state": "open", "rank": 2, "rows": ["r", "s"], "tags": ["t:1", "t2"]}),
    (None, {"name": "gone", "city": "Rome", "kinds": ["a"], "state": "open", "rank": 9, "first": "g", "last": "g"}),
    ("5", "parts", "hset", "bell", "gold"),
    ("5", "parts", "hset", "wheel", "x:y"),
    ("1", "city", "set", "Oslo"),
    ("1", "kinds", "sadd", "c"),
    ("1", "kinds", "srem", "a"),
    ("2", "city", "delete"),
    ("3", "last", "hset", "w"),
    ("3", "rank", "set", 5),
    ("4", "state", "hset", "shut"),
    ("5", "rank", "set", 0.5),
    ("5", "tags", "sadd", "t3"),
    ("3", "worth", "hdel"),
    ("4", "worth", "hset", 1),
    ("1", "at", "hset", "2017-02-03 04:05:06"),
    ("6", "delete"),
]

#: What redis-limpyd leaves behind of a unique value, or mixes up.
WRONG: list[tuple[Any, ...]] = [
    ("4", "code", "set", "three"),
    (None, {"first": "k:1", "last": "k"}),
    (None, {"first": "k", "last": "1:k2"}),
]

#: Who is asked for, and whether there is an order.
QUESTIONS: list[tuple[dict[str, Any], bool]] = [
    ({"name": "Ann", "city": "Oslo", "kinds": "c"}, False),
    ({"name__in": ["Ann", "Bob"], "city__in": ["Oslo", "Bern"], "kinds__eq": "b"}, False),
    ({"name": "Ann", "city": "Rome", "kinds": "a"}, False),
    ({"first": "x", "last": "w"}, False),
    ({"first": "x", "last__in": ["w", "y"]}, False),
    ({"state": "open"}, True),
    ({"state__in": ["shut"]}, True),
    ({"tags": "t3"}, True),
    ({"code": "two"}, True),
    ({"code": "one"}, True),
    ({"name__gte": "Ann"}, False),
    ({"price__lt": 5}, False),
    ({"at__year": 2017}, False),
    ({"at__time__lt": "01"}, False),
]
