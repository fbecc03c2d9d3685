-- @include job
-- @include end_attempt
-- @include place
-- @include offer
-- @include breakdown
-- A job's time is over: its reservation, its ack, its run, its wait or its claim.

-- Nobody claimed a restored job: it is placed like a new one, but behind those that wait. It is not
-- refused: after a loss of Redis the nodes that could serve it may come back later than it.
local function place_restored(job)
  local need, owner, queue = read_need(job.need), owner_of(job), read_queue(job.sig)
  local node, stale = nil, {}
  if not queue.first then node, stale = choose(job, need) end
  -- STEP
  take_out(stale)
  if not node then
    move_to_queue(queue, job, need)
    return tell_placed(job, owner, level_of(queue.count))
  end
  reserve(job, node, pool_of(node, need), 'claim', '')
  tell_placed(job, owner)
  emit('e', 'job', 'job', job.id, 'moves', 'WAITING RESERVED', 'attempt', job.attempt,
    'node', node.id, 'pool', job.pool)
end

local function expire_waiting(job)
  local need, queue, owner = read_need(job.need), read_queue(job.sig), owner_of(job)
  local code = job.cause ~= '' and job.cause or 'QUEUE_TIMEOUT'
  local counts, reason = breakdown(job, need)
  -- STEP
  leave_queue(queue, job, need)
  settle(job, 'FAILED', owner, { code = code, message = job.cause_message, details = counts,
    answered = job.cause_by_node == '1' }, 'reason', reason, 'breakdown', counts)
  emit_end(job, 'WAITING FAILED', code, 'reason', reason, 'breakdown', counts)
  -- @include charge
  charge(job, job.failed)
end

-- Returns the node whose slot it gave back.
local function leave_node(job)
  local node = load_node(job.node)
  if job.stub == '1' then
    drop_stub(job)
  elseif job.state == 'CANCELLED' then
    drop_cancelled(job)
  elseif job.state == 'RESERVED' then
    retry(job, { code = job.lost ~= '' and job.lost or 'NODE_UNAVAILABLE', soft = true })
  elseif job.lost ~= '' then
    retry(job, { code = job.lost })
  else
    retry(job, { code = 'JOB_TIMEOUT', counted = true, blame = '*' })
  end
  return node
end

local function on_job(id)
  local job = load_job(id)
  if not job or is_final(job.state) and job.slot ~= '1' then
    -- STEP
    call('ZREM', cell .. 'timers', 'job:' .. id)
  elseif job.lost == '' and now < job.due then
    -- STEP
    set_timer(job, job.due)
  elseif job.state == 'WAITING' and job.claim == '1' then
    place_restored(job)
  elseif job.state == 'WAITING' then
    expire_waiting(job)
  else
    offer(leave_node(job))
  end
end
