"""The Lua script of queries by texts (decide, pure): members of an index are read, and primary keys stored.

In such an index a member is a text, a separator, and the primary key; a set of primary keys is what Redis can combine
and sort. It is sent by EVAL, inside the transaction of its query, so that the temporary key lives no longer. Lua's own
``<`` goes by the locale of the server, so that bytes are compared one by one.
"""

SIFT = """\
local index, found, separator, command, ranges = KEYS[1], KEYS[2], ARGV[1], ARGV[2], tonumber(ARGV[3])
local function compare(one, other)
  for at = 1, math.min(#one, #other) do
    local difference = one:byte(at) - other:byte(at)
    if difference ~= 0 then return difference end
  end
  return #one - #other
end
local fits = {
  lt = function(text, bound) return compare(text, bound) < 0 end,
  lte = function(text, bound) return compare(text, bound) <= 0 end,
  gt = function(text, bound) return compare(text, bound) > 0 end,
  gte = function(text, bound) return compare(text, bound) >= 0 end,
  eq = function(text, bound) return text == bound end,
  startswith = function(text, bound) return text:sub(1, #bound) == bound end,
}
local reversed, bounds = separator:reverse(), 4 + 2 * ranges
local pks = {}
local function store()
  if #pks > 0 then redis.call('SADD', found, unpack(pks)) end
  pks = {}
end
for at = 4, bounds - 2, 2 do
  for _, member in ipairs(redis.call(command, index, ARGV[at], ARGV[at + 1])) do
    local _, last = member:reverse():find(reversed, 1, true)
    local text = member:sub(1, #member - (last or 0))
    local wanted = last ~= nil
    for bound = bounds, #ARGV, 2 do
      wanted = wanted and fits[ARGV[bound]](text, ARGV[bound + 1])
    end
    if wanted then pks[#pks + 1] = member:sub(#member - last + #separator + 1) end
    if #pks == 1000 then store() end
  end
  store()
end
"""
