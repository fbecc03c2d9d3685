-- Hands a session whose client has returned to the process that it returned to. `next_proof` takes the
-- place of the proof that it shows; that one, and those given out since, stay good until its process
-- has heard from it (`open_session`): the acknowledgement that brings the next token may be lost.
-- Whoever has the session still, lets go of it. `since`: the generation in which it came to its process.
-- `pin`: the node that it is paired with, which its new process must not forget for a moment.
-- KEYS cell
-- SPEC session, process, tenant, credential, proof, next_proof
-- FLAGS allow-oom
-- RETURNS RESUMED generation since former pin | DENIED
-- @include clock
-- @include text
-- @include lease
-- @include tell
local LATEST = 2 -- of those given out since
local key = cell .. 'session:' .. session
local before, whose, shown, present, former, generation, since, pin = unpack(call('HMGET', key,
  'process', 'tenant', 'credential', 'proof', 'former', 'generation', 'since', 'pin'))
local is_his = before and present and present ~= '' and whose == tenant and shown == credential
if not is_his then return { 'DENIED' } end
if before == process and present == next_proof then -- the reply was lost
  return { 'RESUMED', generation, since or '0', former or '', pin or '' }
end
local good, at = words(former), nil
good[#good + 1] = present
for i, one in ipairs(good) do
  if one == proof then at = i end
end
if not at then return { 'DENIED' } end
local kept = { proof }
for i = math.max(at + 1, #good - LATEST + 1), #good do kept[#kept + 1] = good[i] end
former, generation = table.concat(kept, ' '), tostring(tonumber(generation) + 1)
since = before == process and (since or '0') or generation

-- STEP
call('HSET', key, 'process', process, 'proof', next_proof, 'former', former, 'generation', generation,
  'since', since)
if before ~= process then
  call('SREM', cell .. 'process:' .. before .. ':sessions', session)
  post(before, 'kind', 'moved', 'session', session, 'generation', generation)
end
call('SADD', cell .. 'process:' .. process .. ':sessions', session)
call('ZREM', cell .. 'timers', 'session:' .. session)
hold_to_account(process)
return { 'RESUMED', generation, since, former, pin or '' }
