-- DISPATCHED, ACKED → DONE, FAILED or RETRYING → …, by the result of the node that holds the job now.
-- Its slot goes to a waiting job. A result that is late, foreign or doubled changes nothing. The last
-- part of a turn ends those before it. Of the job's own end a session of the asking `process` learns by
-- the reply only.
-- KEYS cell
-- ARGV inbox, value, process
-- SPEC job, node, verdict, blame, code, message, size:int, brief, token
-- CONST result_ttl_ms
-- FLAGS allow-oom
-- RETURNS DONE more session | RETRIED state more | FAILED code more session | DROPPED more | LATE state | UNKNOWN | MISSING
-- @include clock
-- @include job
-- @include free
-- @include settle
-- @include offer
-- @include value
local id = job
local job = load_job(id)

-- Restored, and not claimed yet: the node's process is about to say that it holds it.
local unclaimed = job and job.state == 'WAITING' and job.claim == '1'
if not job or job.stub == '1' or unclaimed then return without_value({ 'UNKNOWN' }) end
local owner = owner_of(job)
local here = process ~= '' and owner == process and job.session or ''
local function ended(state, code, more, told)
  if state == 'DONE' then return { 'DONE', more, told } end
  return state == 'FAILED' and { 'FAILED', code, more, told } or { 'RETRIED', state, more }
end
if job.token == token then return without_value(ended(job.state, job.code, '0', here)) end
local holds = job.node == node and job.slot == '1' and job.state ~= 'RESERVED'
if not holds then return without_value({ 'LATE', job.state }) end
local holder = load_node(node)
if job.state == 'CANCELLED' then
  -- @include end_attempt
  drop_cancelled(job)
  return without_value({ 'DROPPED', flag(offer(holder)) })
end
if verdict == 'retry' then
  -- @include place
  local state = retry(job, { code = code, message = message, counted = true, answered = true,
    blame = blame ~= '' and blame or nil })
  -- STEP
  set_job(job, 'token', token)
  return without_value(ended(state, job.code, flag(offer(holder)), ''))
end
local from, state = job.state, verdict == 'done' and 'DONE' or 'FAILED'
local has_value = inbox ~= '' or value ~= ''
-- STEP
if has_value and not keep_value(cell .. 'result:' .. id, result_ttl_ms) then return { 'MISSING' } end
free_slot(job, holder)
settle(job, state, owner, { code = code, message = message, size = size, answered = true,
  asker = process }, 'token', token)
emit_end(job, from .. ' ' .. state, code, 'brief', brief)
if holder.freed then
  -- @include pace
  note_pace(job.pool)
end
if state == 'DONE' and job.tries > 0 then
  -- @include charge
  charge(job, job.failed)
end
if state == 'DONE' and holder.breaker ~= '' then
  -- @include trust
  trust(holder, job)
end
if state == 'DONE' and job.turn ~= '' then
  -- @include turn
  end_turn(job, holder)
end
return ended(state, code, flag(offer(holder)), here)
