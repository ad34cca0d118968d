"""The one Lua script (decide, pure): guards compared, then steps applied, for plans too large to WATCH.

WATCH costs Redis time quadratic in the keys of a client. Above a bound the replies on which a plan stands travel with
it: the script reads again, compares, and only then applies. It is sent by EVAL, text and all, so that no cached
script can be missing and a printed plan can be pasted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from uowredis.commands.calls import Call
from uowredis.plan.token import Token

#: Arguments that one call inside the script may have (Lua's ``unpack`` fails at 8,000).
MOST_ARGUMENTS = 5_000

#: Arguments that the whole EVAL may have (Redis 6.2 refuses more than 1024 * 1024).
MOST_IN_ALL = 1_000_000

#: Their integer replies would lose digits as Lua's numbers; the script answers with the text that is stored.
COUNTERS = frozenset(("INCRBY", "DECRBY", "HINCRBY"))

APPLY = """\
local at, key = 1, 1
local function take() at = at + 1; return ARGV[at - 1] end
local function number() return tonumber(take()) end
local token, lifetime = nil, take()
if lifetime ~= '' then
  token, key = KEYS[1], 2
  if redis.call('EXISTS', token) == 1 then return {'conflict', 1} end
end
local function note(word)
  if token then redis.call('SET', token, word, 'EX', lifetime) end
end
local function spell(value)
  if type(value) == 'number' then return ':' .. value end
  if type(value) == 'table' then value = value.ok end
  if not value then return '-' end
  return '$' .. value
end
local function settle(items, shape)
  local found = items
  if shape == 'pairs' then
    found = {}
    for i = 1, #items, 2 do found[#found + 1] = #items[i] .. items[i] .. items[i + 1] end
  end
  if shape ~= 'list' then table.sort(found) end
  return found
end
local function same(reply, shape)
  local found, expected = {}, {}
  for i = 1, #reply do found[i] = spell(reply[i]) end
  for i = 1, number() do expected[i] = take() end
  found, expected = settle(found, shape), settle(expected, shape)
  if #found ~= #expected then return false end
  for i = 1, #found do
    if found[i] ~= expected[i] then return false end
  end
  return true
end
for _ = 1, number() do
  local shape, call = take(), {take(), ''}
  for _ = 1, number() do call[#call + 1] = take() end
  for _ = 1, number() do
    call[2] = KEYS[key]
    local reply = redis.call(unpack(call))
    if shape == 'one' then
      if spell(reply) ~= take() then return {'conflict', key} end
    elseif not same(reply, shape) then
      return {'conflict', key}
    end
    key = key + 1
  end
end
local replies = {}
for _ = 1, number() do
  local call, keys, args = {take()}, number(), number()
  for _ = 1, number() do
    for i = 1, keys do call[1 + i] = KEYS[key]; key = key + 1 end
    for i = 1, args do call[1 + keys + i] = take() end
    local reply = redis.pcall(unpack(call))
    if type(reply) == 'table' and reply.err then
      if #replies > 0 then note('failed') end
      return {'failed', replies, reply.err}
    end
    if call[1] == 'INCRBY' or call[1] == 'DECRBY' then reply = redis.call('GET', call[2]) end
    if call[1] == 'HINCRBY' then reply = redis.call('HGET', call[2], call[3]) end
    replies[#replies + 1] = reply
  end
end
note('applied')
return {'applied', replies}
"""

_SHAPES = {"SMEMBERS": "set", "SINTER": "set", "HGETALL": "pairs"}


def _spell(item: Any) -> str:
    if item is None:
        return "-"
    return f":{item}" if isinstance(item, int) else f"${item}"


def keys_of(call: Call) -> tuple[str, ...]:
    """Return the keys of *call*: all arguments of DEL, WATCH, and MSET where each holds its name; else the first."""
    return call[1:] if call[0] in ("DEL", "MSET", "WATCH") else call[1:2]


def _guards(guards: Iterable[tuple[Call, Any]], keys: list[str]) -> Iterator[str]:
    """Yield the arguments for the guards: those of one shape stand together under one head."""
    groups: dict[tuple[str, ...], list[tuple[str, Any]]] = {}
    for call, reply in guards:
        shape = _SHAPES.get(call[0], "list") if isinstance(reply, list) else "one"
        groups.setdefault((shape, call[0], str(len(call) - 2), *call[2:]), []).append((call[1], reply))
    yield str(len(groups))
    for head, members in groups.items():
        yield from head
        yield str(len(members))
        for key, reply in members:
            keys.append(key)
            if head[0] == "one":
                yield _spell(reply)
            else:
                yield str(len(reply))
                yield from map(_spell, reply)


def _steps(steps: Iterable[Call], keys: list[str]) -> Iterator[str]:
    """Yield the arguments for the steps: neighbours of one command and size stand together under one head."""
    groups: list[tuple[tuple[str, str, str], list[Call]]] = []
    for call in steps:
        found = len(keys_of(call))
        head = (call[0], str(found), str(len(call) - 1 - found))
        if not groups or groups[-1][0] != head:
            groups.append((head, []))
        groups[-1][1].append(call)
    yield str(len(groups))
    for head, calls in groups:
        yield from head
        yield str(len(calls))
        first = 1 + int(head[1])
        for call in calls:
            keys += call[1:first]
            yield from call[first:]


def evaluate(guards: Iterable[tuple[Call, Any]], steps: Iterable[Call], token: Token | None = None) -> Call:
    """Return the EVAL call that compares *guards* and applies *steps*.

    Args:
        guards: reads with the plain replies they must give again.
        steps: the calls to apply, in order.
        token: the script applies nothing where its key was claimed, and leaves its word there.
    """
    keys: list[str] = [] if token is None else [token.key]
    lifetime = "" if token is None else str(token.lifetime)
    arguments = [lifetime, *_guards(guards, keys), *_steps(steps, keys)]
    return ("EVAL", APPLY, str(len(keys)), *keys, *arguments)
