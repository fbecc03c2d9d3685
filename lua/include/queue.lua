-- @include need
-- @include save_job
-- CONST sweep_ms, job_life_ms
-- The waiting jobs of one requirement (SIG), earliest deadline first, and the `heads` by which
-- a pool (or the node of a pin) finds the queues that want it.
local function read_queue(sig)
  local top = call('ZRANGE', cell .. 'waiting:' .. sig, 0, 1, 'WITHSCORES')
  return { sig = sig, first = top[1], first_due = tonumber(top[2]), second = top[3],
    second_due = tonumber(top[4]) }
end

local function set_heads(queue, need, due)
  local keys = {}
  if need.pin ~= '' then
    keys[1] = cell .. 'heads:node:' .. need.pin
  else
    for i, pool in ipairs(need.pools) do keys[i] = cell .. 'heads:' .. pool end
  end
  for _, key in ipairs(keys) do
    if due then call('ZADD', key, due, queue.sig) else call('ZREM', key, queue.sig) end
  end
end

local function join_queue(queue, job, need, due)
  call('ZADD', cell .. 'waiting:' .. queue.sig, due, job.id)
  if not queue.first then
    call('HSET', cell .. 'sigs', queue.sig, need.text)
    call('ZADD', cell .. 'queues', now + sweep_ms, queue.sig)
    call('ZADD', cell .. 'timers', 'NX', now + sweep_ms, 'sweep')
  end
  if not queue.first or due < queue.first_due then set_heads(queue, need, due) end
end

local function leave_queue(queue, job, need)
  call('ZREM', cell .. 'waiting:' .. queue.sig, job.id)
  if queue.first ~= job.id then return end
  set_heads(queue, need, queue.second_due)
  if not queue.second then
    call('HDEL', cell .. 'sigs', queue.sig)
    call('ZREM', cell .. 'queues', queue.sig)
  end
end

-- Further fields of the job may follow.
local function move_to_queue(queue, job, need, ...)
  local due = math.min(now + job.wait, job.born + job_life_ms)
  set_job(job, 'state', 'WAITING', 'since', now, 'due', due, 'slot', '', 'node', '', 'claim', '', ...)
  join_queue(queue, job, need, due)
  set_timer(job, due)
end
