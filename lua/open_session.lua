-- Makes a session, or takes it over for another process. On a replay its live jobs that the process
-- does not know of are cancelled.
-- KEYS cell
-- SPEC session, process, tenant, known:list, pin
-- FLAGS allow-oom
-- RETURNS OPENED
-- @include clock
-- @include job
-- @include lease
-- @include offer
-- @include cancel
local id, key = session, cell .. 'session:' .. session
local before = call('HGET', key, 'process')
local strangers = {}
if type(known) == 'table' then
  local mine, flat = set_of(known), call('HGETALL', key)
  for i = 1, #flat, 2 do
    local job = string.match(flat[i], '^job:(.+)$')
    if job and not mine[job] then strangers[#strangers + 1] = job end
  end
end

-- STEP
if before and before ~= process then call('SREM', cell .. 'process:' .. before .. ':sessions', id) end
call('HSET', key, 'process', process, 'tenant', tenant, 'pin', pin)
call('SADD', cell .. 'process:' .. process .. ':sessions', id)
call('ZREM', cell .. 'timers', 'session:' .. id)
hold_to_account(process)
for _, stranger in ipairs(strangers) do
  local job = load_job(stranger)
  if job and not is_final(job.state) then offer(cancel_job(job, 'CANCELLED')) end
end
return { 'OPENED' }
