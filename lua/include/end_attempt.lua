-- @include place
-- Ends a job on its node without placing it again. A cancelled job only gives its slot back.
local function end_on_node(job, state, outcome, ...)
  local node, owner, from = load_node(job.node), owner_of(job), job.state
  -- STEP
  free_slot(job, node)
  settle(job, state, owner, outcome)
  emit_end(job, from .. ' ' .. state, outcome.code or '', ...)
  return node
end

local function drop_cancelled(job)
  local node = load_node(job.node)
  -- STEP
  free_slot(job, node)
  set_job(job, 'slot', '')
  retire(job)
  return node
end

-- A job made by a node's claim that nobody missed.
local function drop_stub(job)
  local node = load_node(job.node)
  -- STEP
  free_slot(job, node)
  call('ZREM', cell .. 'timers', 'job:' .. job.id)
  call('DEL', cell .. 'job:' .. job.id)
  return node
end
