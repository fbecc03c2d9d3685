-- A job's hash as a table; numbers are numbers, an absent field is ''.
local JOB_FIELDS = { 'state', 'attempt', 'tries', 'retries', 'node', 'slot', 'conn', 'had', 'avoid',
  'preferred', 'born', 'due', 'since', 'wait', 'taken', 'need', 'sig', 'session', 'index', 'request',
  'src', 'tgt', 'trace', 'uidx', 'code', 'cause', 'lost', 'claim', 'stub', 'token', 'pool', 'quiet' }
local JOB_NUMBERS = { attempt = 1, tries = 1, retries = 1, born = 1, due = 1, since = 1, wait = 1,
  taken = 1, uidx = 1, quiet = 1 }

-- nil when Redis does not know the job.
local function load_job(id)
  local values = call('HMGET', cell .. 'job:' .. id, unpack(JOB_FIELDS))
  if not values[1] then return nil end
  local job = { id = id }
  for i, name in ipairs(JOB_FIELDS) do
    job[name] = JOB_NUMBERS[name] and tonumber(values[i] or 0) or values[i] or ''
  end
  return job
end

local function owner_of(job)
  return job.session ~= '' and call('HGET', cell .. 'session:' .. job.session, 'process') or ''
end

local function set_job(job, ...)
  local pairs_ = { ... }
  for i = 1, #pairs_, 2 do job[pairs_[i]] = pairs_[i + 1] end
  call('HSET', cell .. 'job:' .. job.id, ...)
end

local function set_timer(job, due)
  call('ZADD', cell .. 'timers', due, 'job:' .. job.id)
end

local function is_final(state)
  return state == 'DONE' or state == 'FAILED' or state == 'CANCELLED'
end
