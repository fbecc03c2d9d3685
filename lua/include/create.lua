-- @include tell
-- @include newest
-- @include value
-- @include job
-- CONST payload_ttl_ms
-- Making a job out of the spec that dispatch and restore_job share.

-- `newest`: the highest index of its session's utterances, with this one.
local function new_job(newest)
  return { id = job, state = 'NEW', session = session, request = request, attempt = 0, had = '',
    avoid = table.concat(avoid, ' '), preferred = preferred, born = now, wait = wait_of(deadline_ms),
    priority = priority, node = '', slot = '', pool = '', payload = 0, newest = newest }
end

local function store_payload()
  if not keep_value(cell .. 'payload:' .. job, payload_ttl_ms) then return false end
  call('INCRBY', cell .. 'live_bytes', size)
  return true
end

-- What its hash has of it from the beginning.
local function born(made)
  return 'spec', spec, 'session', session, 'avoid', made.avoid, 'born', made.born
end

local function enrol(made)
  if session ~= '' then
    call('HSET', cell .. 'session:' .. session, 'job:' .. job, index, 'newest', made.newest)
  end
  if request ~= '' then call('SET', cell .. 'request:' .. request, job) end
end

local function emit_new(made, moves, ...)
  emit('e', 'job', 'job', job, 'moves', moves, 'attempt', made.attempt, 'node', made.node,
    'pool', made.pool, 'spec', spec, ...)
end
