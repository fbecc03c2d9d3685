-- Makes a session, or makes it known again to the process that has it. On a replay its live jobs that
-- the process does not know of are cancelled, but for those that are no utterances. `generation` rises with each return of its client: a
-- process that slept meanwhile must not take it back. `former`: proofs that are good besides `proof`.
-- `away`: its socket is gone, and its client has some time to return. `begins`: it was just given its
-- name, which another process may have in use. `newest`: the highest index of its utterances so far.
-- A call that comes again, by its `mark`, cancels nobody: jobs may have begun after it.
-- KEYS cell
-- SPEC session, process, tenant, credential, pin, proof, former:list, generation:int, away:bool, begins:bool, newest:int, known:list, mark
-- CONST resume_window_ms
-- FLAGS allow-oom
-- RETURNS OPENED | ELSEWHERE | NAME_TAKEN
-- @include clock
-- @include job
-- @include lease
-- @include offer
-- @include cancel
local id, key = session, cell .. 'session:' .. session
local before, present, given, last = unpack(call('HMGET', key, 'process', 'generation', 'newest', 'mark'))
if begins and before and before ~= process then return { 'NAME_TAKEN' } end
if tonumber(present or 0) > generation then return { 'ELSEWHERE' } end
local strangers = {}
if type(known) == 'table' and last ~= mark then
  local mine, flat = set_of(known), call('HGETALL', key)
  for i = 1, #flat, 2 do
    local job = string.match(flat[i], '^job:(.+)$')
    if job and tonumber(flat[i + 1]) >= 0 and not mine[job] then strangers[#strangers + 1] = job end
  end
end

-- STEP
if before and before ~= process then call('SREM', cell .. 'process:' .. before .. ':sessions', id) end
call('HSET', key, 'process', process, 'tenant', tenant, 'credential', credential, 'pin', pin,
  'proof', proof, 'former', table.concat(former, ' '), 'generation', generation,
  'newest', math.max(newest, tonumber(given or -1)), 'mark', mark)
if before ~= process then call('HSET', key, 'since', generation) end
if away then
  call('SREM', cell .. 'process:' .. process .. ':sessions', id)
  call('ZADD', cell .. 'timers', 'NX', now + resume_window_ms, 'session:' .. id)
else
  call('SADD', cell .. 'process:' .. process .. ':sessions', id)
  call('ZREM', cell .. 'timers', 'session:' .. id)
end
hold_to_account(process)
for _, stranger in ipairs(strangers) do
  local job = load_job(stranger)
  if job and not is_final(job.state) then offer(cancel_job(job, 'CANCELLED')) end
end
return { 'OPENED' }
