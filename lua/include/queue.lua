-- @include need
-- @include save_job
-- @include crowd
-- CONST sweep_ms, job_life_ms, priority_step_ms
-- EACH has_queues = nil
-- The waiting jobs of one requirement (SIG) by their rank: the deadline, moved by the priority. And
-- the `heads` by which a pool (or the node of a pin) finds the queues that want it. `has_queues`: whether
-- any job may wait, once a call has looked.
local USUAL_PRIORITY = 3

local function read_queue(sig)
  local key = cell .. 'waiting:' .. sig
  local top = call('ZRANGE', key, 0, 1, 'WITHSCORES')
  local queue = { sig = sig, first = top[1], first_rank = tonumber(top[2]), second = top[3],
    second_rank = tonumber(top[4]), count = #top / 2 }
  if top[3] then queue.count = call('ZCARD', key) end
  if is_near_mark(queue.count) then queue.told = call('SMEMBERS', cell .. 'processes') end
  return queue
end

local function set_heads(queue, need, rank)
  local keys = {}
  if need.pin ~= '' then
    keys[1] = cell .. 'heads:node:' .. need.pin
  else
    for i, pool in ipairs(need.pools) do keys[i] = cell .. 'heads:' .. pool end
  end
  for _, key in ipairs(keys) do
    if rank then call('ZADD', key, rank, queue.sig) else call('ZREM', key, queue.sig) end
  end
end

-- A session counts its waiting jobs: it may have so many only.
local function count_waiting(job, change)
  if job.session ~= '' then
    call('HINCRBY', cell .. 'session:' .. job.session, 'waiting', change)
  end
end

local function rank_of(job, due)
  return due + (job.priority - USUAL_PRIORITY) * priority_step_ms
end

local function join_queue(queue, job, need, due)
  local rank = rank_of(job, due)
  call('ZADD', cell .. 'waiting:' .. queue.sig, rank, job.id)
  if not queue.first then
    call('HSET', cell .. 'sigs', queue.sig, need.text)
    call('ZADD', cell .. 'queues', now + sweep_ms, queue.sig)
    has_queues = true
    call('ZADD', cell .. 'timers', 'NX', now + sweep_ms, 'sweep')
  end
  if not queue.first or rank < queue.first_rank then set_heads(queue, need, rank) end
  count_waiting(job, 1)
  tell_change(queue, queue.count + 1)
end

local function leave_queue(queue, job, need)
  call('ZREM', cell .. 'waiting:' .. queue.sig, job.id)
  count_waiting(job, -1)
  tell_change(queue, queue.count - 1)
  if queue.first ~= job.id then return end
  set_heads(queue, need, queue.second_rank)
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
