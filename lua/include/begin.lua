-- @include save_job
-- @include tell
-- CONST ack_timeout_ms, job_timeout_ms
-- RESERVED → DISPATCHED: the caller writes the frame.
local EPOCH_2026_MS = 1767225600000

-- The node's own index of an utterance. Consecutive for each session and node, never lower than
-- before, not even after a loss of Redis: it starts at the time in tenths of a second (and see `numbers`).
local function next_index(session, node)
  local first = math.floor((now - EPOCH_2026_MS) / 100)
  if session == '' then return first end
  local last = call('HGET', cell .. 'indexes:' .. session, 'node:' .. node)
  return last and tonumber(last) + 1 or first
end

-- `session` is empty once nobody owns it: nothing of it may be made anew then. Further fields of the
-- job may follow.
local function begin(job, holder, session, index, ...)
  if session ~= '' then
    call('HSET', cell .. 'indexes:' .. session, 'node:' .. holder.id, index, 'last', holder.id)
  end
  local due = now + (holder.acking == '1' and ack_timeout_ms or job_timeout_ms)
  if not job.due or due < job.due then set_timer(job, due) end -- else it fires early, and is put back
  job.state, job.conn, job.uidx = 'DISPATCHED', holder.conn, index
  call('HSET', cell .. 'job:' .. job.id, 'state', 'DISPATCHED', 'conn', holder.conn, 'taken', now,
    'due', due, 'uidx', index, ...)
end
