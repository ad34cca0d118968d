"""What other mappers call otherwise, and what it is called here (pure)."""

_ALL = "collection()"
_SOME = "collection(field=value)"
_FIRST = "collection().sort()[0], or [-1] for the last"
_MANY = "create_many([{...}, ...])"

#: Of a class.
OF_A_MODEL = {
    "objects": _ALL,
    "query": _ALL,
    "all": _ALL,
    "select": _ALL,
    "all_pks": _ALL,
    "filter": _SOME,
    "filter_by": _SOME,
    "where": _SOME,
    "find": _SOME,
    "first": _FIRST,
    "last": _FIRST,
    "create": "the class itself: Model(field=value)",
    "load": "Model(pk)",
    "get_or_create": "get_or_connect(field=value)",
    "get_or_none": "exists(field=value), then get(field=value)",
    "bulk_create": _MANY,
    "insert_many": _MANY,
    "count": "len(collection())",
}

#: Of a class of ``uowredis.aio``, where something else leads there.
AWAITED_OF_A_MODEL = OF_A_MODEL | {
    "first": "await collection().first()",
    "last": "await collection().sort(desc=True).first()",
    "load": "await Model.get(pk)",
    "get_or_create": "await Model.get_or_connect(field=value)",
    "get_or_none": "await Model.exists(field=value), then await Model.get(field=value)",
    "bulk_create": f"await Model.{_MANY}",
    "insert_many": f"await Model.{_MANY}",
    "count": "await collection().count()",
}

#: Of an object.
OF_AN_INSTANCE = {
    "save": "each command is sent at once, or by the commit of the open session",
    "update": "hmset(...) for several InstanceHashFields, a command of the field for any other",
    "refresh": "nothing is kept in the instance; get() of a field reads anew",
    "refresh_from_db": "nothing is kept in the instance; get() of a field reads anew",
    "expire": "a command of a field without index: expire(seconds)",
    "ttl": "ttl() of a field with a key of its own",
    "id": "pk.get()",
    "dict": "to_dict()",
    "model_dump": "to_dict()",
}

#: Of an object of ``uowredis.aio``, where something else leads there.
AWAITED_OF_AN_INSTANCE = OF_AN_INSTANCE | {
    "save": "each command is sent when it is awaited, or by the commit of the open session",
    "id": "await pk.get()",
    "dict": "await to_dict()",
    "model_dump": "await to_dict()",
}
