-- @include take_down
-- @include claims
-- CONST stale_ms
-- A node's time is over: no heartbeat, no return within the grace, never ready.
local function on_stale(node, about)
  if fresh(node) then return node_timer(node.id, 'stale', node.beat + stale_ms + 1) end
  take_down(node, about, 'stale')
end

local function on_grace(node, about)
  local jobs = held_jobs(node.id)
  -- STEP
  node_timer(node.id, 'grace', nil)
  if about.state ~= 'offline' then return end
  for _, job in ipairs(jobs) do make_due(job, 'WS_DISCONNECTED') end
end

local function on_warmup(node, about)
  -- STEP
  node_timer(node.id, 'warmup', nil)
  if about.state ~= 'registering' then return end
  call('HSET', cell .. 'node:' .. node.id, 'state', 'degraded')
  node.state = 'degraded'
  emit('e', 'node', 'node', node.id, 'moves', 'registering degraded', 'why', 'warmup')
end

local ON_NODE = { stale = on_stale, grace = on_grace, warmup = on_warmup }

local function on_node(rest)
  local id, what = string.match(rest, '^(.+):(%a+)$')
  local node = load_node(id)
  if not node then return node_timer(id, what, nil) end
  ON_NODE[what](node, load_about(id))
end
