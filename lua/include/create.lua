-- @include tell
-- @include newest
-- @include value
-- CONST wait_limit_ms, max_wait_ms, payload_ttl_ms
-- Making a job out of the spec that dispatch and restore_job share.

-- `newest`: the highest index of its session's utterances, with this one.
local function new_job(newest)
  local wait = deadline_ms < 0 and wait_limit_ms or math.min(deadline_ms, max_wait_ms)
  return { id = job, state = 'NEW', session = session, request = request, attempt = 0, had = '',
    avoid = table.concat(avoid, ' '), preferred = preferred, born = now, wait = wait,
    priority = priority, node = '', slot = '', pool = '', payload = 0, newest = newest }
end

local function store_payload()
  if not keep_value(cell .. 'payload:' .. job, payload_ttl_ms) then return false end
  call('INCRBY', cell .. 'live_bytes', size)
  return true
end

local function in_turn()
  if turn ~= '' then return 'turn', turn end
end

-- What its hash has of it from the beginning.
local function born(made)
  return 'session', session, 'index', index, 'request', request, 'digest', digest, 'tenant', tenant,
    'src', src, 'tgt', tgt, 'need', need, 'sig', sig, 'avoid', made.avoid, 'preferred', preferred,
    'born', made.born, 'wait', made.wait, 'priority', priority,
    'retries', retries, 'payload', size, 'trace', trace, in_turn()
end

-- Further fields of the session may follow.
local function enrol(made, ...)
  if session ~= '' then
    call('HSET', cell .. 'session:' .. session, 'job:' .. job, index, 'newest', made.newest, ...)
  end
  if request ~= '' then call('SET', cell .. 'request:' .. request, job) end
end

local function emit_new(made, moves, ...)
  emit('e', 'job', 'job', job, 'moves', moves, 'attempt', made.attempt, 'node', made.node,
    'pool', made.pool, 'session', session, 'index', index, 'tenant', tenant, 'src', src,
    'tgt', tgt, 'request', request, 'size', size, 'trace', trace, ...)
end
