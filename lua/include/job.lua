-- @include save_job
-- FIELDS job, session, index:int, request, digest, tenant, src, tgt, need, sig, preferred, avoid:list, deadline_ms:int, priority:int, size:int, retries:int, trace, turn
-- CONST wait_limit_ms, max_wait_ms
-- What a job was made of never changes: its `spec`, as it was handed over, is one field of its hash.
local AT = {}
for i = 1, #FIELDS do AT[FIELDS[i]] = i end
local NUMBERS = { attempt = 1, tries = 1, born = 1, due = 1, since = 1, taken = 1, uidx = 1, quiet = 1 }

local function wait_of(deadline_ms)
  return deadline_ms < 0 and wait_limit_ms or math.min(deadline_ms, max_wait_ms)
end

local function read_spec(job)
  local spec = cmsgpack.unpack(job.spec)
  job.index, job.request, job.digest = spec[AT.index], spec[AT.request], spec[AT.digest]
  job.src, job.tgt, job.trace, job.turn = spec[AT.src], spec[AT.tgt], spec[AT.trace], spec[AT.turn]
  job.need, job.sig, job.preferred = spec[AT.need], spec[AT.sig], spec[AT.preferred]
  job.wait, job.priority = wait_of(spec[AT.deadline_ms]), spec[AT.priority]
  job.retries, job.payload = spec[AT.retries], spec[AT.size]
end

-- All of a job; nil when Redis does not know it. Numbers are numbers; what a job may lack, such as one
-- that only a node told of, is '' or 0. Made at once: a table that grows by field after field is made
-- anew six times.
local function load_job(id)
  local flat = call('HGETALL', cell .. 'job:' .. id)
  if #flat == 0 then return nil end
  local job = { id = id, attempt = 0, tries = 0, node = '', slot = '', pool = '', conn = '',
    had = '', avoid = '', born = 0, due = 0, since = 0, taken = 0, uidx = 0, quiet = 0, session = '',
    cause = '', lost = '', claim = '', stub = '', failed = '', code = '', index = 0, request = '',
    digest = '', src = '', tgt = '', trace = '', turn = '', need = '', sig = '', preferred = '',
    wait = 0, priority = 0, retries = 0, payload = 0 }
  for i = 1, #flat, 2 do
    local name, value = flat[i], flat[i + 1]
    job[name] = NUMBERS[name] and tonumber(value) or value
  end
  if job.spec then read_spec(job) end
  return job.state and job
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
