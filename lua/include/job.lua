-- @include save_job
-- What it takes to place, end or cancel a job; nil when Redis does not know it. Numbers are numbers, an
-- absent field is ''. Made at once: a table that grows by field after field is made anew six times.
local function load_job(id)
  local v = call('HMGET', cell .. 'job:' .. id, 'state', 'attempt', 'tries', 'retries', 'node',
    'slot', 'conn', 'had', 'avoid', 'preferred', 'born', 'due', 'since', 'wait', 'priority',
    'taken', 'need', 'sig', 'session', 'request', 'cause', 'lost', 'claim', 'stub', 'quiet',
    'failed', 'payload')
  if not v[1] then return nil end
  return { id = id, state = v[1], attempt = tonumber(v[2] or 0), tries = tonumber(v[3] or 0),
    retries = tonumber(v[4] or 0), node = v[5] or '', slot = v[6] or '', conn = v[7] or '',
    had = v[8] or '', avoid = v[9] or '', preferred = v[10] or '', born = tonumber(v[11] or 0),
    due = tonumber(v[12] or 0), since = tonumber(v[13] or 0), wait = tonumber(v[14] or 0),
    priority = tonumber(v[15] or 0), taken = tonumber(v[16] or 0), need = v[17] or '',
    sig = v[18] or '', session = v[19] or '', request = v[20] or '', cause = v[21] or '',
    lost = v[22] or '', claim = v[23] or '', stub = v[24] or '', quiet = tonumber(v[25] or 0),
    failed = v[26] or '', payload = tonumber(v[27] or 0) }
end

-- Also finds out whether its answer is kept: the session's client may come back for it.
local function owner_of(job)
  if job.session == '' then return '' end
  local owner, proof = unpack(call('HMGET', cell .. 'session:' .. job.session, 'process', 'proof'))
  job.kept = proof and proof ~= ''
  return owner or ''
end

local function is_final(state)
  return state == 'DONE' or state == 'FAILED' or state == 'CANCELLED'
end
