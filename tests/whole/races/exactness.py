"""Read by plain redis-py, by code that shares nothing with the planner: do the indexes say what the fields say?"""

import redis

Index = dict[str, set[str]]


def indexed(client: redis.Redis) -> Index:
    """Return every index key of bikes and shops with its pks, as stored."""
    patterns = (":bike:name:*", ":bike:color:*", ":bike:hits:*", ":bike:tags:*", ":shop:city:*")
    return {key: client.smembers(key) for pattern in patterns for key in client.keys(pattern)}


def derived(client: redis.Redis) -> Index:
    """Return the index that the fields of all instances that are there entail."""
    index: Index = {}
    for pk in client.smembers(":bike:collection"):
        values = [(name, value) for name, value in client.hgetall(f":bike:{pk}:hash").items()]
        values += [("hits", value) for value in [client.get(f":bike:{pk}:hits")] if value is not None]
        values += [("tags", value) for value in client.smembers(f":bike:{pk}:tags")]
        for name, value in values:
            index.setdefault(f":bike:{name}:{value}", set()).add(pk)
    for pk in client.smembers(":shop:collection"):
        if (city := client.hget(f":shop:{pk}:hash", "city")) is not None:
            index.setdefault(f":shop:city:{city}", set()).add(pk)
    return index


def owners(client: redis.Redis) -> set[str]:
    """Return the pks under which anything is stored."""
    ends = ("hash", "hits", "tags", "owner")
    keys = [key.split(":") for key in client.keys("*") if key.startswith((":bike:", ":shop:"))]
    return {parts[2] for parts in keys if len(parts) == 4 and parts[3] in ends}


def check_exact(client: redis.Redis) -> None:
    """The indexes are what the fields entail, nothing is stored of who is not there, and no guard key lasts."""
    assert derived(client) == indexed(client)
    there = client.smembers(":bike:collection") | client.smembers(":shop:collection")
    assert set() == owners(client) - there
    assert [] == client.keys("*__guard__*")
