-- @include job
-- @include receipt
-- @include possible
-- @include room
-- @include reserve
-- @include placed
-- @include free
-- @include queue
-- @include settle
-- @include spending
-- CONST job_life_ms
-- A job that was placed before is placed again, or waits, or fails: one step, reads first.
-- The job leaves its node. `why`: its `code` and `message`; `counted`: this used up one of its tries;
-- `soft`: the node never took it, so it is only avoided; `answered`: the node has done with it;
-- `blame`: whose fault it may be, '*' the node's or a service of it.
-- Returns the state it is in now.
local function retry(job, why)
  local need, old, owner = read_need(job.need), load_node(job.node), owner_of(job)
  local moves, code, left = job.state .. ' RETRYING', why.code, job.node
  if why.counted then job.tries = job.tries + 1 end
  local list = why.soft and 'avoid' or 'had'
  job[list] = with(job[list], job.node)
  if why.blame then
    local service = why.blame ~= '*' and why.blame or ''
    local blamed = string.gsub(job.node .. '=' .. service .. '=' .. code, '%s', '_')
    job.failed = job.failed .. ' ' .. blamed
  end
  local node, stale, queue, limit = nil, {}, nil, nil
  local may = job.tries <= job.retries and now - job.born < job_life_ms
  local spent = may and why.counted and is_spent(job.need)
  if may and not spent then
    node, stale = choose(job, need)
    if not node and job.wait > 0 and possible(job, need) then
      queue = read_queue(job.sig)
      limit = crowded(queue, job)
    end
  end
  -- STEP
  if not why.answered then call_off(job, old, code) end
  free_slot(job, old)
  take_out(stale)
  local changed = { 'tries', job.tries, 'cause', code, list, job[list] }
  local function change(name, value, was)
    if value ~= was then changed[#changed + 1], changed[#changed + 2] = name, value end
  end
  if why.blame then change('failed', job.failed) end
  if job.cause ~= '' or why.message then change('cause_message', why.message or '') end
  if job.cause ~= '' or why.answered then change('cause_by_node', flag(why.answered)) end
  change('taken', 0, job.taken)
  change('quiet', 0, job.quiet)
  change('conn', '', job.conn)
  change('lost', '', job.lost)
  if why.counted and (node or queue and not limit) then count_budget(job.need, 'retried') end
  if node then
    reserve(job, node, pool_of(node, need), unpack(changed))
  elseif queue and not limit then
    move_to_queue(queue, job, need, unpack(changed))
  else
    set_job(job, unpack(changed))
    settle(job, 'FAILED', owner, limit and { code = 'NODE_OVERLOADED' } or why)
    emit_end(job, moves .. ' FAILED', job.code, 'reason', limit or spent and 'retry_budget' or '')
    -- @include charge
    charge(job, job.failed)
    return 'FAILED'
  end
  tell_placed(job, owner, not node and level_of(queue.count))
  emit('e', 'job', 'job', job.id, 'moves', moves .. ' ' .. job.state, 'attempt', job.attempt,
    'node', job.node, 'left', left, 'code', code, 'tries', job.tries, 'pool', node and job.pool or '',
    'receipt', looked and receipt(need, '') or '')
  return job.state
end
