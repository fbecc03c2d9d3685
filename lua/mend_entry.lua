-- Removes from an index what its owner does not know of: of `key` (pool:P, ready:P, idle:P,
-- has:VALUE, timers, process:ID:…, mailbox:ID) the `member`; any other key only ends. Counts are counted anew.
-- KEYS cell
-- ARGV key, member
-- CONST payload_ttl_ms, stranger_ttl_ms
-- FLAGS allow-oom
-- RETURNS MENDED changes
-- @include clock
-- @include text
-- @include tell
local kind, name = string.match(key, '^([^:]*):?(.*)$')
local process = (kind == 'process' or kind == 'mailbox') and string.match(name, '^([^:]*)')
local whole = table.concat({ cell, key })
local FIELD = { pool = 'pools', ready = 'pools', idle = 'pools', has = 'has' }

local function is_owned()
  if FIELD[kind] then
    local mine = call('HGET', cell .. 'node:' .. member, FIELD[kind])
    return set_of(words(mine))[name]
  elseif key == 'timers' then
    local owner, id = string.match(member, '^(%a+):([^:]*)')
    local lives = owner == 'job' or owner == 'node' or owner == 'session'
    return not lives or call('EXISTS', table.concat({ cell, owner, ':', id })) == 1
  end
  return call('SISMEMBER', cell .. 'processes', process) == 1
end

-- Of a pool: how many of its members have just the values of a line of `offers`.
local function count_of(line)
  local pool, values = string.match(line, '^(%S+) ?(.*)$')
  local count = 0
  for _, id in ipairs(call('SMEMBERS', cell .. 'pool:' .. pool)) do
    if call('HGET', cell .. 'node:' .. id, 'has') == values then count = count + 1 end
  end
  return count
end

-- Of a session: how many of its jobs wait.
local function waiting_of()
  local waiting, flat = 0, call('HGETALL', whole)
  for i = 1, #flat, 2 do
    local job = string.match(flat[i], '^job:(.+)$')
    local state, held = unpack(job and call('HMGET', cell .. 'job:' .. job, 'state', 'claim') or {})
    if state == 'WAITING' and held ~= '1' then waiting = waiting + 1 end
  end
  return waiting
end

local waiting = kind == 'session' and call('HEXISTS', whole, 'process') == 1 and waiting_of()
local known = waiting and tonumber(call('HGET', whole, 'waiting') or 0)
local counted, right = string.match(key == 'live_bytes' and member or '', '^(%S+) (%S+)$')
local unmoved = counted and (call('GET', whole) or '0') == counted
local count = key == 'offers' and count_of(member)
local changes, owned = 0, (FIELD[kind] or key == 'timers' or process) and is_owned()
local expiring = (kind == 'payload' or kind == 'result' or kind == 'inbox') and payload_ttl_ms
-- STEP
if owned then
  changes = 0
elseif waiting then
  changes = known ~= waiting and 1 or 0
  call('HSET', whole, 'waiting', waiting)
elseif counted then
  changes = unmoved and 1 or 0
  if unmoved then call('SET', whole, right) end
elseif count then
  changes = count == 0 and call('HDEL', whole, member) or 1
  if count > 0 then call('HSET', whole, member, count) end
elseif FIELD[kind] then
  changes = call('SREM', whole, member)
elseif key == 'timers' then
  changes = call('ZREM', whole, member)
elseif kind == 'process' then
  changes = call('ZADD', cell .. 'timers', 'NX', now, 'process:' .. process)
elseif kind == 'mailbox' then
  changes = call('DEL', whole)
else
  changes = call('PEXPIRE', whole, expiring or stranger_ttl_ms, 'NX')
end
if changes > 0 then emit('e', 'note', 'what', 'mended', 'text', key .. ' ' .. member) end
return { 'MENDED', tostring(changes) }
