-- Removes every trace of a node that has been offline for long and holds nothing.
-- KEYS cell
-- ARGV id, offline_ms:int
-- FLAGS allow-oom
-- RETURNS OK state more | LIVE | UNKNOWN
-- @include clock
-- @include judge
-- @include membership
-- @include timers
-- @include services
local about, node = load_about(id), load_node(id)
if not node then return { 'UNKNOWN' } end
local gone = tonumber(about.gone) or now
if about.state ~= 'offline' or node.used > 0 or now - gone < offline_ms then return { 'LIVE' } end
local plan, services = plan_membership(node, {}, {}, '', ''), read_services(id)

-- STEP
apply_membership(node, plan, 'expired')
call('HDEL', cell .. 'fleet', id)
call('SREM', cell .. 'broken', id)
for _, what in ipairs({ 'stale', 'grace', 'warmup', 'probe', 'drain' }) do node_timer(id, what, nil) end
drop_services(id, services)
call('DEL', cell .. 'node:' .. id)
emit('e', 'node', 'node', id, 'moves', 'offline', 'why', 'expired')
return { 'OK', 'offline', '0' }
