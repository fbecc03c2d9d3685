-- Hands a session whose client has returned to the process that it returned to. The proof is good for
-- one return; `next_proof` takes its place. Whoever has the session still, lets go of it.
-- KEYS cell
-- SPEC session, process, tenant, credential, proof, next_proof
-- FLAGS allow-oom
-- RETURNS RESUMED generation | DENIED
-- @include clock
-- @include lease
-- @include tell
local key = cell .. 'session:' .. session
local before, whose, shown, present, generation = unpack(call('HMGET', key, 'process', 'tenant',
  'credential', 'proof', 'generation'))
local again = before == process and present == next_proof -- the reply was lost
local is_his = before and present and present ~= '' and whose == tenant and shown == credential
if not is_his or (present ~= proof and not again) then return { 'DENIED' } end
if again then return { 'RESUMED', generation } end
generation = tostring(tonumber(generation) + 1)

-- STEP
call('HSET', key, 'process', process, 'proof', next_proof, 'generation', generation)
if before ~= process then
  call('SREM', cell .. 'process:' .. before .. ':sessions', session)
  post(before, 'kind', 'moved', 'session', session, 'generation', generation)
end
call('SADD', cell .. 'process:' .. process .. ':sessions', session)
call('ZREM', cell .. 'timers', 'session:' .. session)
hold_to_account(process)
return { 'RESUMED', generation }
