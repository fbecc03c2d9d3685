-- NEW → SELECTING → RESERVED, WAITING or FAILED, in one call. Known requests and jobs are answered
-- with what they are now. While jobs of the same requirement wait, a node found goes to the first
-- of them that may use it, and the new job waits behind them: nobody overtakes. On a node of the
-- asking `process` the job is DISPATCHED at once, as by `take`. Over a limit it is refused. `passed`:
-- pools that the process left out, for the receipt; `spread`: avoid the node that the session had last.
-- `asker`: the process that learns of a refusal by the reply; where another one has the session by now,
-- that one is told.
-- KEYS cell
-- ARGV inbox, value, process, passed, spread:bool, asker
-- SPEC job, session, index:int, request, digest, tenant, src, tgt, need, sig, preferred, avoid:list, deadline_ms:int, priority:int, size:int, retries:int, trace, turn
-- RETURNS DISPATCHED job node attempt pool conn index
-- RETURNS RESERVED job node attempt pool | WAITING job level
-- RETURNS REFUSED job code reason breakdown retry_ms
-- RETURNS REPEAT job state attempt node | CONFLICT job | NO_SESSION | MISSING
-- @include clock
-- @include choose
-- @include accept
local newest = session == '' or newest_with(index, session)
if not newest then return without_value({ 'NO_SESSION' }) end
local traces = { cell .. 'job:' .. job, cell .. 'waiting:' .. sig, cell .. 'brake' }
if request ~= '' then traces[4] = cell .. 'request:' .. request end
local traced = call('EXISTS', unpack(traces)) > 0
if traced then
  -- @include answers
  local answer = known_answer()
  if answer then return without_value(answer) end
end

local fresh_job, wanted = new_job(newest), read_need(need)
if spread and session ~= '' then
  fresh_job.avoid = fresh_job.avoid .. ' ' .. (call('HGET', cell .. 'indexes:' .. session, 'last') or '')
end
local brake = traced and call('GET', cell .. 'brake')
local node, stale = nil, {}
if not brake then node, stale = choose(fresh_job, wanted) end

if traced and node then
  -- Jobs that wait already come first, 8 of them a call.
  -- @include hand
  local earlier = first_in(sig, node)
  for _ = 1, 8 do
    if not earlier then break end
    hand(earlier, node)
    node, stale = choose(fresh_job, wanted)
    earlier = node and first_in(sig, node)
  end
  if earlier then node = nil end
end

if not node then
  -- @include job, queue, refuse
  local queue = read_queue(sig)
  local why = brake and held_back(brake) or refusal_of(fresh_job, wanted, queue)
  local owner = why and index >= 0 and owner_of(fresh_job)
  -- STEP
  if why then
    without_value()
    take_out(stale)
    return refuse(fresh_job, why, owner, brake and '' or receipt(wanted, passed), born(fresh_job))
  end
  if not store_payload() then return { 'MISSING' } end
  take_out(stale)
  enrol(fresh_job)
  move_to_queue(queue, fresh_job, wanted, born(fresh_job))
  emit_new(fresh_job, 'NEW SELECTING WAITING', 'receipt', receipt(wanted, passed))
  return { 'WAITING', job, level_of(queue.count) }
end

return accept(fresh_job, node, wanted, stale)
