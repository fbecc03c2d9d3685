-- @include judge
-- @include timers
-- @include tell
-- CONST grace_ms, lonely_grace_ms
-- Takes a node offline: it leaves the ready sets at once, its jobs wait for the grace.

-- Somebody else in its pools lives, so that its jobs need not wait long for it to come back. The
-- nodes of a lost process are no company to each other: they all go.
local function has_company(node, why)
  for _, pool in ipairs(words(node.pools)) do
    for _, id in ipairs(call('SRANDMEMBER', cell .. 'pool:' .. pool, 20)) do
      local other = id ~= node.id and load_node(id)
      local goes = other and why == 'process' and other.process == node.process
      if other and not goes and (other.why == 0 or other.why >= 5) then return true end
    end
  end
  return false
end

local function take_down(node, about, why)
  local grace = has_company(node, why) and grace_ms or lonely_grace_ms
  local from = about.state
  -- STEP
  node.why, node.state = 1, 'offline'
  save_node(node)
  call('HSET', cell .. 'node:' .. node.id, 'state', 'offline', 'gone', now)
  call('SREM', cell .. 'process:' .. node.process .. ':nodes', node.id)
  node_timer(node.id, 'stale', nil)
  node_timer(node.id, 'warmup', nil)
  node_timer(node.id, 'grace', now + grace)
  emit('e', 'node', 'node', node.id, 'moves', from .. ' offline', 'why', why)
end
