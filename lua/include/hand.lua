-- @include job
-- @include reserve
-- @include placed
-- @include queue
-- CONST avoid_ms
-- Gives a slot of a node to a waiting job.
local function may_use(job, node)
  if set_of(words(job.had))[node.id] then return false end
  return now - job.since >= avoid_ms or not set_of(words(job.avoid))[node.id]
end

-- The first of the 8 earliest jobs of a requirement that may use the node.
local function first_in(sig, node)
  for _, id in ipairs(call('ZRANGE', cell .. 'waiting:' .. sig, 0, 7)) do
    local job = load_job(id)
    if job and may_use(job, node) then return job end
  end
end

-- WAITING → RESERVED.
local function hand(job, node)
  local need, queue, owner = read_need(job.need), read_queue(job.sig), owner_of(job)
  -- STEP
  leave_queue(queue, job, need)
  reserve(job, node, pool_of(node, need))
  tell_placed(job, owner)
  emit('e', 'job', 'job', job.id, 'moves', 'WAITING RESERVED', 'attempt', job.attempt,
    'node', node.id, 'pool', job.pool, 'ms', now - job.born)
end
