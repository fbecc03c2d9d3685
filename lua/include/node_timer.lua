-- @include take_down
-- @include claims
-- @include usable
-- @include offer
-- CONST stale_ms
-- A node's time is over: no heartbeat, no return within the grace, never ready.
local function on_stale(node, about)
  if not fresh(node) then return take_down(node, about, 'stale') end
  -- STEP
  node_timer(node.id, 'stale', node.beat + stale_ms + 1)
end

local function on_grace(node)
  local jobs = held_jobs(node.id)
  -- STEP
  node_timer(node.id, 'grace', nil)
  for _, job in ipairs(jobs) do make_due(job, 'WS_DISCONNECTED') end
end

local function on_warmup(node)
  -- STEP
  call('HSET', cell .. 'node:' .. node.id, 'state', 'degraded')
  node.state = 'degraded'
  enter_state(node, 'registering', 'warmup')
end

-- Its breaker was open for long enough: one job at a time may prove it well again.
local function on_probe(node, about)
  -- @include breaker
  -- STEP
  node_timer(node.id, 'probe', nil)
  call('SREM', cell .. 'broken', node.id)
  call('HSET', cell .. 'node:' .. node.id, 'breaker', 'half_open')
  set_breaker(node, about, 'half_open')
  emit('e', 'note', 'what', 'breaker_half_open', 'node', node.id)
  offer(node)
end

-- A service was out, or watched, for long enough.
local function on_service(node, _, name)
  -- @include services
  local services = read_services(node.id)
  local one = services[name] or { pause = 0 }
  local tried = one.phase == 'out' and one.pause > 0
  services[name] = tried and one or nil
  one.phase, one.due = 'trial', now + one.pause
  -- STEP
  save_services(node, services, name, tried and one.due or nil)
end

-- The deadline of a drain: what still runs goes elsewhere, and uses up no try.
local function on_drain(node)
  local jobs = held_jobs(node.id)
  -- STEP
  node_timer(node.id, 'drain', nil)
  for _, job in ipairs(jobs) do make_due(job, 'NODE_UNAVAILABLE') end
end

local ON_NODE = { stale = on_stale, grace = on_grace, warmup = on_warmup, probe = on_probe,
  service = on_service, drain = on_drain }

local function on_node(rest)
  local id, what, name = string.match(rest, '^([^:]+):(%a+):?(.*)$')
  ON_NODE[what](load_node(id), load_about(id), name)
end
