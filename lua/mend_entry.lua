-- Removes from an index what its owner does not know of: of `key` (pool:P, ready:P, idle:P, has:VALUE,
-- timers, pools, process:ID:…) the `member`; of any other key the whole, which only ends. A mailbox
-- that its process lacks is made again. A count is replaced only if it still is what it was when the
-- caller counted: of live_bytes `member` is `WAS RIGHT`, of offers `WAS RIGHT LINE`.
-- KEYS cell
-- ARGV key, member
-- CONST payload_ttl_ms, brake_ttl_ms, stranger_ttl_ms
-- FLAGS allow-oom
-- RETURNS MENDED changes
-- @include clock
-- @include tell
-- @include owned
local kind, name = string.match(key, '^([^:]*):?(.*)$')
local process = string.match(name, '^([^:]*)')
local whole = table.concat({ cell, key })
local field = member ~= '' and FIELD[kind]
local ENDS = { payload = payload_ttl_ms, result = payload_ttl_ms, inbox = payload_ttl_ms,
  brake = brake_ttl_ms, lock = brake_ttl_ms }

-- Of an auto pool: what one of its members says that it serves, if it has any.
local function definition_of()
  local members = call('SRANDMEMBER', cell .. 'pool:' .. member, 16)
  for _, id in ipairs(members) do
    if words(field_of('node', id, 'pools'))[1] == member then return field_of('node', id, 'definition') end
  end
  return #members == 0 and ''
end

local counted, right = string.match(key == 'live_bytes' and member or '', '^(%S+) (%S+)$')
local was, should, line = string.match(key == 'offers' and member or '', '^(%d+) (%d+) (.+)$')
local unmoved = counted and (call('GET', whole) or '0') == counted
  or line and was ~= should and (call('HGET', whole, line) or '0') == was
local definition = key == 'pools' and member ~= '' and definition_of()
local changes, owned = 0, is_owned(kind, name, member)
local gone = kind == 'indexes' and call('EXISTS', cell .. 'session:' .. name) == 0
local listens = kind == 'mailbox' and call('SISMEMBER', cell .. 'processes', process) == 1
-- STEP
if owned then
  changes = 0
elseif counted or line then
  changes = unmoved and 1 or 0
  if unmoved and counted then call('SET', whole, right) end
  if unmoved and line then call(should == '0' and 'HDEL' or 'HSET', whole, line, should) end
elseif definition then
  changes = 1
  call(definition == '' and 'HDEL' or 'HSET', whole, member, definition)
  call('HINCRBY', cell .. 'config', 'pools', 1)
elseif field or kind == 'process' and member ~= '' then
  changes = call('SREM', whole, member)
elseif key == 'timers' then
  changes = call('ZREM', whole, member)
elseif kind == 'process' then
  changes = call('ZADD', cell .. 'timers', 'NX', now, 'process:' .. process)
elseif listens then
  changes = call('EXISTS', whole) == 0 and call('XADD', whole, '*', 'kind', 'hello') and 1 or 0
elseif kind == 'indexes' then
  changes = gone and call('DEL', whole) or 0
elseif kind == 'mailbox' then
  changes = call('DEL', whole)
elseif key ~= 'pools' and key ~= 'offers' and key ~= 'live_bytes' then
  changes = call('PEXPIRE', whole, ENDS[kind] or stranger_ttl_ms, 'NX')
end
if changes > 0 then emit('e', 'note', 'what', 'mended', 'text', key .. ' ' .. member) end
return { 'MENDED', tostring(changes) }
