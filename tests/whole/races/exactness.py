"""Read by plain redis-py, by code that shares nothing with the planner: do the indexes say what the fields say?"""

import redis

Index = dict[str, set[str]]


def indexed(client: redis.Redis) -> Index:
    """Return every index key of products and words with its pks, as stored."""
    patterns = (":product:name:*", ":product:color:*", ":product:hits:*", ":product:tags:*", ":word:kind:*")
    return {key: client.smembers(key) for pattern in patterns for key in client.keys(pattern)}


def derived(client: redis.Redis) -> Index:
    """Return the index that the fields of all instances that are there entail."""
    index: Index = {}
    for pk in client.smembers(":product:collection"):
        values = [(name, value) for name, value in client.hgetall(f":product:{pk}:hash").items()]
        values += [("hits", value) for value in [client.get(f":product:{pk}:hits")] if value is not None]
        values += [("tags", value) for value in client.smembers(f":product:{pk}:tags")]
        for name, value in values:
            index.setdefault(f":product:{name}:{value}", set()).add(pk)
    for pk in client.smembers(":word:collection"):
        if (kind := client.hget(f":word:{pk}:hash", "kind")) is not None:
            index.setdefault(f":word:kind:{kind}", set()).add(pk)
    return index


def owners(client: redis.Redis) -> set[str]:
    """Return the pks under which anything is stored."""
    ends = ("hash", "hits", "tags", "stock", "plain")
    keys = [key.split(":") for key in client.keys("*") if key.startswith((":product:", ":word:"))]
    return {parts[2] for parts in keys if len(parts) == 4 and parts[3] in ends}


def check_exact(client: redis.Redis) -> None:
    """The indexes are what the fields entail, nothing is stored of who is not there, and no guard key lasts."""
    assert derived(client) == indexed(client)
    there = client.smembers(":product:collection") | client.smembers(":word:collection")
    assert set() == owners(client) - there
    assert [] == client.keys("*__guard__*")
