-- Makes all that is derived of a node equal again to its hash and to the jobs that it holds. Of a node
-- without a hash nothing stays; its jobs go elsewhere.
-- KEYS cell
-- ARGV id
-- CONST stale_ms, warmup_ms, grace_ms
-- FLAGS allow-oom
-- RETURNS MENDED changes
-- @include clock
-- @include judge
-- @include fleet
-- @include timers
-- @include mend_services
local held_key, changes = cell .. 'node:' .. id .. ':jobs', 0
local about, held, strangers = load_about(id), call('SMEMBERS', held_key), {}
local lost, waits = {}, false
local known = about.state ~= ''
for _, job in ipairs(held) do
  local there, slot, given_up = unpack(call('HMGET', cell .. 'job:' .. job, 'node', 'slot', 'lost'))
  waits = waits or there == id and slot == '1' and (given_up or '') == ''
  if not known or there ~= id or slot ~= '1' then strangers[#strangers + 1] = job end
  if not known and there == id then lost[#lost + 1] = job end
end
local raw, services = call('HGET', cell .. 'fleet', id) or '', read_services(id)
local readable, node = pcall(load_node, id, raw)
if not readable then node = nil end -- then it is made anew
local before = node and record_of(node)
local acking, ear = unpack(call('HMGET', cell .. 'node:' .. id, 'acking', 'ear'))

-- How many entries a command really changed.
local function mend(...) changes = changes + call(...) end

local function mend_timer(what, wanted, due)
  local member = 'node:' .. id .. ':' .. what
  if wanted then
    mend('ZADD', cell .. 'timers', 'NX', due, member)
  else
    mend('ZREM', cell .. 'timers', member)
  end
end

local function mend_record()
  node = node or new_node(id)
  node.pools, node.beat, node.acking = about.pools, node.beat or now, acking or ''
  node.process, node.ear = about.process, about.process ~= '' and about.process or ear or ''
  node.conn, node.leave, node.breaker = about.conn, about.leave, about.breaker
  node.used, node.capacity = #held - #strangers, slots_of(about, node)
  if node.why ~= 1 or about.state == 'offline' or not before then node.why = judge(about) end
  if record_of(node) ~= before then changes = changes + 1 end
  save_node(node)
end

-- STEP
for _, job in ipairs(strangers) do mend('SREM', held_key, job) end
for _, job in ipairs(lost) do make_due({ id = job }, 'NODE_UNAVAILABLE') end
if known then
  mend_record()
  local on = about.state ~= 'offline'
  for _, pool in ipairs(words(node.pools)) do
    mend('SADD', cell .. 'pool:' .. pool, id)
    mend(node.listed and 'SADD' or 'SREM', cell .. 'ready:' .. pool, id)
    mend(node.idle and 'SADD' or 'SREM', cell .. 'idle:' .. pool, id)
  end
  for _, value in ipairs(words(about.has)) do mend('SADD', cell .. 'has:' .. value, id) end
  mend(about.breaker == 'open' and 'SADD' or 'SREM', cell .. 'broken', id)
  if about.process ~= '' then
    mend(on and 'SADD' or 'SREM', cell .. 'process:' .. about.process .. ':nodes', id)
  end
  changes = changes + mend_services(node, about.out, services)
  mend_timer('stale', on, now + stale_ms)
  mend_timer('warmup', about.state == 'registering', now + warmup_ms)
  mend_timer('probe', about.breaker == 'open', now)
  if on then mend_timer('grace', false) end
  if not on and waits then mend_timer('grace', true, now + grace_ms) end
else
  mend('HDEL', cell .. 'fleet', id)
  mend('SREM', cell .. 'broken', id)
  mend('SREM', cell .. 'lame', id)
end
if changes > 0 then emit('e', 'note', 'what', 'mended', 'node', id, 'text', changes .. ' entries') end
return { 'MENDED', tostring(changes) }
