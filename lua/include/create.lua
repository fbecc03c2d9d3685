-- @include job
-- @include tell
-- @include text
-- CONST payload_ttl_ms, wait_limit_ms, max_wait_ms
-- Making a job out of the spec that dispatch and restore_job share.

-- Asked again with the same job id (a lost reply): the same answer as before.
local function answer_of(known)
  if known.state == 'RESERVED' then
    return { 'RESERVED', known.id, known.node, tostring(known.attempt), known.pool }
  elseif known.state == 'WAITING' then
    return { 'WAITING', known.id }
  end
  local refusal = call('HMGET', cell .. 'job:' .. known.id, 'reason', 'breakdown')
  if known.state == 'FAILED' and refusal[1] then
    return { 'REFUSED', known.id, known.code, refusal[1], refusal[2] }
  end
  return { 'REPEAT', known.id, known.state, tostring(known.attempt), known.node }
end

-- nil for a job that is really new.
local function known_answer()
  if session ~= '' and call('HEXISTS', cell .. 'session:' .. session, 'process') == 0 then
    return { 'NO_SESSION' }
  end
  local earlier = request ~= '' and call('GET', cell .. 'request:' .. request)
  local known = earlier and earlier ~= job and load_job(earlier)
  if known then
    if call('HGET', cell .. 'job:' .. earlier, 'digest') ~= digest then
      return { 'CONFLICT', earlier }
    end
    return { 'REPEAT', earlier, known.state, tostring(known.attempt), known.node }
  end
  if call('EXISTS', cell .. 'job:' .. job) == 1 then return answer_of(load_job(job)) end
end

local function new_job()
  local wait = deadline_ms < 0 and wait_limit_ms or math.min(deadline_ms, max_wait_ms)
  return { id = job, state = 'NEW', session = session, attempt = 0, tries = 0, retries = retries,
    had = '', avoid = table.concat(avoid, ' '), preferred = preferred, born = now, wait = wait,
    need = need, sig = sig, request = request, node = '', slot = '', pool = '', conn = '' }
end

-- The rename fails before anything is written when the value is not there (any more).
local function store_payload()
  local key = cell .. 'payload:' .. job
  if redis.pcall('RENAME', cell .. 'inbox:' .. inbox, key).err then return false end
  call('PEXPIRE', key, payload_ttl_ms)
  return true
end

local function create_job(made)
  set_job(made, 'session', session, 'index', index, 'request', request, 'digest', digest,
    'tenant', tenant, 'src', src, 'tgt', tgt, 'need', need, 'sig', sig, 'avoid', made.avoid,
    'preferred', preferred, 'born', made.born, 'wait', made.wait, 'retries', retries, 'payload', size, 'trace', trace)
  if session ~= '' then call('HSET', cell .. 'session:' .. session, 'job:' .. job, index) end
  if request ~= '' then call('SET', cell .. 'request:' .. request, job) end
end

local function emit_new(made, moves, ...)
  emit('e', 'job', 'job', job, 'moves', moves, 'attempt', made.attempt, 'node', made.node,
    'pool', made.pool, 'session', session, 'index', index, 'tenant', tenant, 'src', src,
    'tgt', tgt, 'request', request, 'size', size, 'trace', trace, ...)
end
