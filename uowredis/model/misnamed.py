"""What other mappers call otherwise, and what it is called here (pure)."""

#: Of a class.
OF_A_MODEL = {
    "objects": "collection()",
    "query": "collection()",
    "all": "collection()",
    "filter": "collection(field=value)",
    "find": "collection(field=value)",
    "create": "the class itself: Model(field=value)",
    "get_or_create": "get_or_connect(field=value)",
    "count": "len(collection())",
}

#: Of an object.
OF_AN_INSTANCE = {
    "save": "each command is sent at once, or by the commit of the open session",
    "update": "hmset(...) for several InstanceHashFields, a command of the field for any other",
    "refresh": "nothing is kept in the instance; get() of a field reads anew",
    "expire": "a command of the field: set(..., ex=seconds) of a StringField without index",
    "ttl": "database.connection.ttl(instance.field.key)",
    "id": "pk.get()",
}
