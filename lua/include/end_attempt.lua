-- @include job
-- @include free
-- @include settle
-- The end of a job's stay on its node, without placing it again.
local function end_on_node(job, code)
  local node, owner, from = load_node(job.node), owner_of(job), job.state
  -- STEP
  call_off(job, node, code)
  free_slot(job, node)
  settle(job, 'FAILED', owner, { code = code })
  emit_end(job, from .. ' FAILED', code)
end

-- A cancelled job only gives its slot back.
local function drop_cancelled(job)
  local node = load_node(job.node)
  -- STEP
  free_slot(job, node)
  set_job(job, 'slot', '')
  retire(job)
end

-- A job made by a node's claim that nobody missed.
local function drop_stub(job)
  local node = load_node(job.node)
  -- STEP
  call_off(job, node, 'STATE_LOST')
  free_slot(job, node)
  call('ZREM', cell .. 'timers', 'job:' .. job.id)
  call('DEL', cell .. 'job:' .. job.id)
  emit('e', 'note', 'what', 'unclaimed', 'job', job.id, 'node', job.node)
end
