-- @include job
-- @include tell
-- CONST stale_ms, warmup_ms
-- Timers of a node.
local function node_timer(id, what, due)
  local member = 'node:' .. id .. ':' .. what
  if due then
    call('ZADD', cell .. 'timers', due, member)
  else
    call('ZREM', cell .. 'timers', member)
  end
end

local function arm(id, about)
  node_timer(id, 'stale', now + stale_ms)
  node_timer(id, 'grace', nil)
  node_timer(id, 'warmup', about.state == 'registering' and now + warmup_ms or nil)
end

-- While its connection stands.
local function enter_state(node, from, why, ...)
  if from == 'registering' then node_timer(node.id, 'warmup', nil) end
  emit('e', 'node', 'node', node.id, 'moves', from .. ' ' .. node.state, 'why', why, ...)
end

-- The reaper releases and places these jobs: at once, in its own small steps.
local function make_due(job, code)
  set_job(job, 'lost', code)
  set_timer(job, now)
end
