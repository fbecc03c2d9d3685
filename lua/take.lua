-- RESERVED → DISPATCHED, together with reading the payload: only now is the frame written, once an
-- attempt. The same connection asking again gets the same answer; anybody else GONE. A payload that
-- is gone ends the job (STATE_LOST).
-- KEYS cell
-- ARGV id, attempt:int, node, conn
-- CONST ack_timeout_ms, job_timeout_ms, inline_bytes
-- FLAGS allow-oom
-- RETURNS TAKEN index session session_index src tgt trace waited_ms big payload | GONE | LOST more
-- @include clock
-- @include job
-- @include node
-- @include tell
local EPOCH_2026_MS = 1767225600000

local job = load_job(id, { 'state', 'attempt', 'node', 'conn', 'uidx', 'session', 'index', 'src', 'tgt',
  'trace', 'born', 'due' })
if not job or job.attempt ~= attempt or job.node ~= node then return { 'GONE' } end
local holder = load_node(node)
local repeated = job.state == 'DISPATCHED' and job.conn == conn and job.uidx > 0
if not repeated and (job.state ~= 'RESERVED' or not holder or holder.conn ~= conn) then
  return { 'GONE' }
end

local key = cell .. 'payload:' .. id
local size = call('STRLEN', key)
local payload = size <= inline_bytes and call('GET', key) or ''
local owner = owner_of(job)

-- Consecutive for each session and node, never lower than before, not even after a loss of Redis:
-- it starts at the time in tenths of a second.
local function utterance_index()
  if repeated then return job.uidx end
  local first = math.floor((now - EPOCH_2026_MS) / 100)
  if job.session == '' then return first end
  local last = call('HGET', cell .. 'session:' .. job.session, 'node:' .. node)
  return last and tonumber(last) + 1 or first
end
local index = utterance_index()

if size == 0 then
  -- @include free, settle, offer
  local whole = load_job(id)
  -- STEP
  free_slot(whole, holder)
  settle(whole, 'FAILED', owner, { code = 'STATE_LOST' })
  emit_end(whole, job.state .. ' FAILED', 'STATE_LOST')
  return { 'LOST', flag(offer(holder)) }
end
-- STEP
if not repeated then
  local due = now + (holder.acking == '1' and ack_timeout_ms or job_timeout_ms)
  if due < job.due then set_timer(job, due) end -- else it fires early, and is put back
  set_job(job, 'state', 'DISPATCHED', 'conn', conn, 'taken', now, 'due', due, 'uidx', index)
  if owner ~= '' then
    call('HSET', cell .. 'session:' .. job.session, 'node:' .. node, index)
  end
  emit('e', 'job', 'job', id, 'moves', 'RESERVED DISPATCHED', 'attempt', attempt, 'node', node)
end
return { 'TAKEN', tostring(index), job.session, job.index, job.src, job.tgt, job.trace,
  tostring(now - job.born), flag(size > inline_bytes), payload }
