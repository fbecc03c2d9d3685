-- @include text
-- @include save_job
-- @include tell
-- @include budget
-- CONST final_ttl_ms, result_ttl_ms, kept_answers
-- The end of a job. Its hash stays 10 min, so that a repeat gets the same answer.
local function retire(job)
  call('PEXPIRE', cell .. 'job:' .. job.id, final_ttl_ms)
  call('ZREM', cell .. 'timers', 'job:' .. job.id)
  if job.request ~= '' then call('PEXPIRE', cell .. 'request:' .. job.request, final_ttl_ms) end
end

-- The last answers of a session, in the order in which they came.
local function keep_answer(job)
  local key = cell .. 'answers:' .. job.session
  if call('RPUSH', key, job.id) > kept_answers then call('LTRIM', key, -kept_answers, -1) end
  call('PEXPIRE', key, result_ttl_ms)
end

-- `owner`: the session's process; none of what is no utterance and was never enrolled.
-- `outcome`: code, message, details (JSON), size of the result; `answered`: a node reported it;
-- `asker`: the process that learns it from the reply. A cancelled job that still holds a slot keeps its
-- timer until the slot is free. Further fields of the job may follow.
local function settle(job, state, owner, outcome, ...)
  set_job(job, 'state', state, 'code', outcome.code or '', 'message', outcome.message or '',
    'size', outcome.size or 0, 'slot', job.slot, 'ended', now, ...)
  if job.slot ~= '1' then retire(job) end
  if job.need then count_budget(job.need, 'ended') end -- one that is refused never began
  call('UNLINK', cell .. 'payload:' .. job.id)
  if job.payload > 0 then call('DECRBY', cell .. 'live_bytes', job.payload) end
  if job.session ~= '' and owner then
    call('HDEL', cell .. 'session:' .. job.session, 'job:' .. job.id)
    if job.kept then keep_answer(job) end
    if owner == outcome.asker then return end
    post(owner, 'kind', 'outcome', 'job', job.id, 'session', job.session, 'state', state,
      'code', outcome.code or '', 'message', outcome.message or '',
      'details', outcome.details or '', 'node', job.node, 'attempt', job.attempt,
      'size', outcome.size or 0, 'by_node', flag(outcome.answered))
  end
end

local function emit_end(job, moves, code, ...)
  emit('e', 'job', 'job', job.id, 'moves', moves, 'attempt', job.attempt, 'node', job.node,
    'tries', job.tries, 'code', code, 'ms', now - job.born, ...)
end
