-- WAITING, RESERVED, DISPATCHED, ACKED → CANCELLED. `process` is not empty when that one may have
-- placed the job on a node of its own and never sent it: then no node works on it.
-- KEYS cell
-- ARGV id, code, process
-- FLAGS allow-oom
-- RETURNS CANCELLED more | FINAL state | UNKNOWN
-- @include clock
-- @include offer
-- @include cancel
local job = load_job(id)
if not job or job.stub == '1' then return { 'UNKNOWN' } end
if is_final(job.state) then return { 'FINAL', job.state } end
local placed = process ~= '' and call('HGET', cell .. 'job:' .. id, 'begun')
local unsent = job.state == 'DISPATCHED' and placed == process .. ' ' .. job.attempt
local node = cancel_job(job, code, unsent)
return { 'CANCELLED', flag(offer(node)) }
