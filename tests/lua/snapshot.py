"""A whole cell as it is between two commands, read by one script."""

from lua.doctor.snapshot import NOTHING, Content, Entry, Snapshot, kind_of, may_stay

__all__ = ["NOTHING", "READ_CELL", "Content", "Entry", "Snapshot", "kind_of", "may_stay"]

# Every key of a cell: its name, type, remaining ms (-1: for ever) and content as a flat list.
READ_CELL = """
local read = {
  string = function(key) return { redis.call('GET', key) } end,
  hash = function(key) return redis.call('HGETALL', key) end,
  set = function(key) return redis.call('SMEMBERS', key) end,
  zset = function(key) return redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end,
  stream = function(key) return redis.call('XRANGE', key, '-', '+') end,
  list = function(key) return redis.call('LRANGE', key, 0, -1) end,
}
local found = {}
for i, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local kind = redis.call('TYPE', key).ok
  found[i] = { string.sub(key, #ARGV[1] + 1), kind, redis.call('PTTL', key), read[kind](key) }
end
return found
"""
