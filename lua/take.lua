-- RESERVED → DISPATCHED, together with reading the payload: only now is the frame written, once an
-- attempt. The same connection asking again gets the same answer; anybody else GONE. A payload that
-- is gone ends the job (STATE_LOST).
-- KEYS cell
-- ARGV id, attempt:int, node, conn
-- CONST inline_bytes
-- FLAGS allow-oom
-- RETURNS TAKEN index session src tgt trace big payload | GONE | LOST more
-- @include clock
-- @include job
-- @include node
-- @include begin
local job = load_job(id)
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
local index = repeated and job.uidx or next_index(job.session, node)

if size == 0 then
  -- @include free, settle, offer
  local from = job.state
  -- STEP
  free_slot(job, holder)
  settle(job, 'FAILED', owner, { code = 'STATE_LOST' })
  emit_end(job, from .. ' FAILED', 'STATE_LOST')
  return { 'LOST', flag(offer(holder)) }
end
-- STEP
if not repeated then
  begin(job, holder, owner ~= '' and job.session or '', index)
  emit('e', 'job', 'job', id, 'moves', 'RESERVED DISPATCHED', 'attempt', attempt, 'node', node)
end
return { 'TAKEN', tostring(index), job.session, job.src, job.tgt, job.trace,
  flag(size > inline_bytes), payload }
