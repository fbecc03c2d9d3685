-- DISPATCHED → ACKED: commits the slot and starts the job timeout anew. Further signs of work only
-- renew it. A partial text goes on to the session's process. The node may have come back on another
-- connection since the job was handed over; only its present one counts. Mailboxes stay small: of a
-- partial that is too long only the sign of work is told. Where the asking `process` has the session, the
-- reply names it, and no mailbox is needed.
-- KEYS cell
-- ARGV id, node, conn, process, kind, partial
-- CONST job_timeout_ms, partial_bytes
-- FLAGS allow-oom
-- RETURNS ACKED session | GONE
-- @include clock
-- @include node
-- @include save_job
-- @include tell
local state, holder, lost, attempt, session = unpack(call('HMGET', cell .. 'job:' .. id,
  'state', 'node', 'lost', 'attempt', 'session'))
local working = (state == 'DISPATCHED' or state == 'ACKED') and (not lost or lost == '')
local known = working and holder == node and load_node(node)
if not known or known.conn ~= conn then
  return { 'GONE' }
end
local owner = session and call('HGET', cell .. 'session:' .. session, 'process')
local job = { id = id }
local here = process ~= '' and owner == process
if here then owner = nil end

-- STEP
local due = now + job_timeout_ms -- its timer fires earlier, and is put back
if kind ~= 'partial' and known.acking ~= '1' then
  known.acking = '1'
  save_node(known)
  call('HSET', cell .. 'node:' .. node, 'acking', '1')
end
if state == 'DISPATCHED' then
  set_job(job, 'state', 'ACKED', 'due', due, 'quiet', 0, 'taken', now)
  post(owner, 'kind', 'accepted', 'job', id, 'session', session, 'node', node)
  emit('e', 'job', 'job', id, 'moves', 'DISPATCHED ACKED', 'attempt', attempt, 'node', node)
else
  set_job(job, 'due', due, 'quiet', 0, 'taken', now)
end
if kind == 'partial' then
  post(owner, 'kind', 'partial', 'job', id, 'session', session,
    'body', #partial <= partial_bytes and partial or '')
end
return { 'ACKED', here and session or '' }
