-- @include refusal
-- @include settle
-- @include create
-- NEW → FAILED.
local function refuse(job, why, found, ...)
  settle(job, 'FAILED', nil, { code = why.code })
  set_job(job, 'reason', why.reason, 'breakdown', why.counts, 'retry_ms', why.retry_ms, ...)
  emit_new(job, 'NEW SELECTING FAILED', 'code', why.code, 'reason', why.reason,
    'breakdown', why.counts, 'receipt', found)
  return { 'REFUSED', job.id, why.code, why.reason, why.counts, tostring(why.retry_ms) }
end
