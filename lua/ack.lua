-- DISPATCHED → ACKED: commits the slot and starts the job timeout anew. Further signs of work only
-- renew it. A partial text goes on to the session's process. The node may have come back on another
-- connection since the job was handed over; only its present one counts.
-- KEYS cell
-- ARGV id, node, conn, kind, partial
-- CONST job_timeout_ms
-- FLAGS allow-oom
-- RETURNS ACKED | GONE
-- @include clock
-- @include job
-- @include tell
local job = load_job(id)
local working = job and (job.state == 'DISPATCHED' or job.state == 'ACKED') and job.lost == ''
if not working or job.node ~= node or call('HGET', cell .. 'node:' .. node, 'conn') ~= conn then
  return { 'GONE' }
end
local owner = owner_of(job)

-- STEP
local due = now + job_timeout_ms -- its timer fires earlier, and is put back
if kind ~= 'partial' then call('HSET', cell .. 'node:' .. node, 'acking', '1') end
if job.state == 'DISPATCHED' then
  set_job(job, 'state', 'ACKED', 'due', due, 'quiet', 0, 'taken', now)
  if job.session ~= '' then
    post(owner, 'kind', 'accepted', 'job', id, 'session', job.session, 'node', node)
  end
  emit('e', 'job', 'job', id, 'moves', 'DISPATCHED ACKED', 'attempt', job.attempt, 'node', node)
else
  set_job(job, 'due', due, 'quiet', 0, 'taken', now)
end
if kind == 'partial' and job.session ~= '' then
  post(owner, 'kind', 'partial', 'job', id, 'session', job.session, 'body', partial)
end
return { 'ACKED' }
