-- Makes an unfinished job of a live session again after a loss of Redis, under the same id: a node
-- that holds it may have claimed it already, or has 1 s to do so; then it is placed like a new one.
-- KEYS cell
-- ARGV inbox, value
-- SPEC job, session, index:int, request, digest, tenant, src, tgt, need, sig, preferred, avoid:list, deadline_ms:int, priority:int, size:int, retries:int, trace, turn
-- CONST claim_ms
-- FLAGS allow-oom
-- RETURNS HELD | CLAIMED node | KNOWN state | NO_SESSION | MISSING
-- @include clock
-- @include job
-- @include create
local known, newest = load_job(job), newest_with(index, session)
local answer = known and known.stub ~= '1' and { 'KNOWN', known.state }
  or not newest and { 'NO_SESSION' }
if answer then return without_value(answer) end
local made = new_job(newest)

-- STEP
if not store_payload() then return { 'MISSING' } end
enrol(made)
if known then
  set_job(known, 'stub', '', born(made))
  return { 'CLAIMED', known.node }
end
local due = now + claim_ms
set_job(made, 'state', 'WAITING', 'claim', '1', 'since', now, 'due', due, 'attempt', 0, 'tries', 0,
  born(made))
set_timer(made, due)
emit_new(made, 'NEW SELECTING WAITING')
return { 'HELD' }
