-- @include save_job
-- A job's hash as a table; numbers are numbers, an absent field is ''.
local JOB_NUMBERS = { attempt = 1, tries = 1, retries = 1, born = 1, due = 1, since = 1, wait = 1,
  taken = 1, uidx = 1, quiet = 1, priority = 1, payload = 1 }

-- nil when Redis does not know the job. `names`: the fields wanted, state first; else what it takes
-- to place, end or cancel it. Each costs a walk along the hash, which is a list inside.
local function load_job(id, names)
  names = names or { 'state', 'attempt', 'tries', 'retries', 'node', 'slot', 'conn', 'had', 'avoid',
    'preferred', 'born', 'due', 'since', 'wait', 'priority', 'taken', 'need', 'sig', 'session',
    'request', 'cause', 'lost', 'claim', 'stub', 'quiet', 'failed', 'payload' }
  local values = call('HMGET', cell .. 'job:' .. id, unpack(names))
  if not values[1] then return nil end
  local job = { id = id }
  for i, name in ipairs(names) do
    job[name] = JOB_NUMBERS[name] and tonumber(values[i] or 0) or values[i] or ''
  end
  return job
end

local function owner_of(job)
  return job.session ~= '' and call('HGET', cell .. 'session:' .. job.session, 'process') or ''
end

local function is_final(state)
  return state == 'DONE' or state == 'FAILED' or state == 'CANCELLED'
end
