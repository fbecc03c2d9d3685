-- @include slot
-- @include save_job
-- @include tell
-- CONST reservation_ttl_ms
-- The node's process is to take it. Further fields of the job may follow.
local function reserve(job, node, pool, ...)
  occupy(job, node, pool)
  local due = now + reservation_ttl_ms
  job.state = 'RESERVED'
  call('HSET', cell .. 'job:' .. job.id, 'state', 'RESERVED', 'attempt', job.attempt,
    'node', node.id, 'slot', '1', 'pool', pool, 'due', due, ...)
  set_timer(job, due)
  post(node.ear, 'kind', 'assign', 'job', job.id, 'attempt', job.attempt, 'node', node.id,
    'conn', node.conn)
end
