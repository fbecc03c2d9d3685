-- WAITING, RESERVED, DISPATCHED, ACKED → CANCELLED.
-- KEYS cell
-- ARGV id, code
-- FLAGS allow-oom
-- RETURNS CANCELLED more | FINAL state | UNKNOWN
-- @include clock
-- @include offer
-- @include cancel
local job = load_job(id)
if not job or job.stub == '1' then return { 'UNKNOWN' } end
if is_final(job.state) then return { 'FINAL', job.state } end
local node = cancel_job(job, code)
return { 'CANCELLED', flag(offer(node)) }
