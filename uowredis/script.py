"""The one Lua script (decide, pure): guards compared, then steps applied, for plans too large to WATCH.

WATCH costs Redis time quadratic in the keys of a client. Above a bound the replies on which a plan stands travel with
it: the script reads again, compares, and only then applies. It is sent by EVAL, text and all, so that no cached
script can be missing and a printed plan can be pasted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from uowredis.content import Call

#: Arguments that one call inside the script may have (Lua's ``unpack`` fails at 8,000).
MOST_ARGUMENTS = 5_000

#: Arguments that the whole EVAL may have (Redis 6.2 refuses more than 1024 * 1024).
MOST_IN_ALL = 1_000_000

APPLY = """\
local at, key = 1, 1
local function take() at = at + 1; return ARGV[at - 1] end
local function call()
  local command, keys, args = {take()}, tonumber(take()), tonumber(take())
  for _ = 1, keys do command[#command + 1] = KEYS[key]; key = key + 1 end
  for _ = 1, args do command[#command + 1] = take() end
  return command
end
local function spell(value)
  if type(value) == 'number' then return ':' .. value end
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
for guard = 1, tonumber(take()) do
  local shape = take()
  local reply = redis.call(unpack(call()))
  local found = {}
  if type(reply) == 'table' then
    for i = 1, #reply do found[i] = spell(reply[i]) end
  else
    found[1] = spell(reply)
  end
  local expected = {}
  for i = 1, tonumber(take()) do expected[i] = take() end
  found, expected = settle(found, shape), settle(expected, shape)
  if #found ~= #expected then return {'conflict', guard} end
  for i = 1, #found do
    if found[i] ~= expected[i] then return {'conflict', guard} end
  end
end
local replies = {}
for step = 1, tonumber(take()) do
  local reply = redis.pcall(unpack(call()))
  if type(reply) == 'table' and reply.err then return {'failed', replies, reply.err} end
  replies[step] = reply
end
return {'applied', replies}
"""

_SHAPES = {"SMEMBERS": "set", "HGETALL": "pairs"}


def _spell(item: Any) -> str:
    if item is None:
        return "-"
    return f":{item}" if isinstance(item, int) else f"${item}"


def keys_of(call: Call) -> tuple[str, ...]:
    """Return the keys of *call*: all arguments of DEL and WATCH, the first of any other."""
    return call[1:] if call[0] in ("DEL", "WATCH") else call[1:2]


def _add(call: Call, keys: list[str], args: list[str]) -> None:
    found = keys_of(call)
    keys += found
    args += (call[0], str(len(found)), str(len(call) - 1 - len(found)), *call[1 + len(found) :])


def evaluate(guards: Iterable[tuple[Call, Any]], steps: Iterable[Call]) -> Call:
    """Return the EVAL call that compares *guards* and applies *steps*.

    Args:
        guards: reads with the plain replies they must give again.
        steps: the calls to apply, in order.
    """
    keys: list[str] = []
    body: list[str] = []
    count = 0
    for call, reply in guards:
        count += 1
        body.append(_SHAPES.get(call[0], "list"))
        _add(call, keys, body)
        items = reply if isinstance(reply, list) else [reply]
        body.append(str(len(items)))
        body += map(_spell, items)
    guarded, body = body, []
    applied = 0
    for call in steps:
        applied += 1
        _add(call, keys, body)
    return ("EVAL", APPLY, str(len(keys)), *keys, str(count), *guarded, str(applied), *body)
