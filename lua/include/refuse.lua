-- @include refusal
-- @include settle
-- @include create
-- NEW → FAILED. `owner`: of its session, if it is an utterance. Further fields of the job may follow.
local function refuse(job, why, owner, found, ...)
  if session ~= '' then call('HSET', cell .. 'session:' .. session, 'newest', job.newest) end
  settle(job, 'FAILED', owner, { code = why.code, details = why.counts, asker = asker })
  set_job(job, 'reason', why.reason, 'breakdown', why.counts, 'retry_ms', why.retry_ms, ...)
  emit_new(job, 'NEW SELECTING FAILED', 'code', why.code, 'reason', why.reason,
    'breakdown', why.counts, 'receipt', found)
  return { 'REFUSED', job.id, why.code, why.reason, why.counts, tostring(why.retry_ms) }
end
