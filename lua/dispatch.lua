-- NEW → SELECTING → RESERVED, WAITING or FAILED, in one call. Known requests and jobs are answered
-- with what they are now. While jobs of the same requirement wait, a node found goes to the first
-- of them that may use it, and the new job waits behind them: nobody overtakes.
-- KEYS cell
-- ARGV inbox
-- SPEC job, session, index:int, request, digest, tenant, src, tgt, need, sig, preferred, avoid:list, deadline_ms:int, size:int, retries:int, trace
-- RETURNS RESERVED job node attempt pool | WAITING job | REFUSED job code reason breakdown
-- RETURNS REPEAT job state attempt node | CONFLICT job | NO_SESSION | MISSING
-- @include clock
-- @include breakdown
-- @include offer
-- @include create
local answer = known_answer()
if answer then
  call('UNLINK', cell .. 'inbox:' .. inbox)
  return answer
end

local fresh_job, wanted = new_job(), read_need(need)
local crowded = call('EXISTS', cell .. 'waiting:' .. sig) == 1
local node, stale = choose(fresh_job, wanted)
local earlier = crowded and node and first_in(sig, node)
for _ = 1, HAND_OVERS do
  if not earlier then break end
  hand(earlier, node)
  node, stale = choose(fresh_job, wanted)
  earlier = node and first_in(sig, node)
end

if node and not earlier then
  -- STEP
  if not store_payload() then return { 'MISSING' } end
  take_out(stale)
  create_job(fresh_job)
  reserve(fresh_job, node, pool_of(node, wanted))
  emit_new(fresh_job, 'NEW SELECTING RESERVED')
  return { 'RESERVED', job, node.id, tostring(fresh_job.attempt), fresh_job.pool }
end

-- Nobody is ready.
local code = not possible(fresh_job, wanted) and 'NO_CAPABLE_NODE'
  or fresh_job.wait == 0 and 'NO_AVAILABLE_NODE'
if not code then
  local queue = read_queue(sig)
  -- STEP
  if not store_payload() then return { 'MISSING' } end
  take_out(stale)
  create_job(fresh_job)
  move_to_queue(queue, fresh_job, wanted)
  emit_new(fresh_job, 'NEW SELECTING WAITING')
  return { 'WAITING', job }
end
local counts, reason = breakdown(fresh_job, wanted)
-- STEP
call('UNLINK', cell .. 'inbox:' .. inbox)
take_out(stale)
create_job(fresh_job)
set_job(fresh_job, 'reason', reason, 'breakdown', counts)
settle(fresh_job, 'FAILED', nil, { code = code })
if session ~= '' then call('HDEL', cell .. 'session:' .. session, 'job:' .. job) end
if request ~= '' then call('DEL', cell .. 'request:' .. request) end
emit_new(fresh_job, 'NEW SELECTING FAILED', 'code', code, 'reason', reason, 'breakdown', counts)
return { 'REFUSED', job, code, reason, counts }
