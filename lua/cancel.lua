-- WAITING, RESERVED, DISPATCHED, ACKED → CANCELLED. `process` is not empty when that one may have
-- placed the job on a node of its own and never sent it: then no node works on it. `idle`: only a job
-- that waits.
-- KEYS cell
-- ARGV id, code, process, idle:bool
-- FLAGS allow-oom
-- RETURNS CANCELLED more | FINAL state | RUNS | UNKNOWN
-- @include clock
-- @include offer
-- @include cancel
-- @include indexes
local job = load_job(id)
if not job or job.stub == '1' then return { 'UNKNOWN' } end
if is_final(job.state) then return { 'FINAL', job.state } end
if idle and job.state ~= 'WAITING' then return { 'RUNS' } end
local unsent = process ~= '' and job.state == 'DISPATCHED'
  and job.begun == process .. ' ' .. job.attempt
local skipped = unsent and has_last_index(job, job.node)
local node = cancel_job(job, code, unsent)
if skipped then give_back_index(job, job.node) end
return { 'CANCELLED', flag(offer(node)) }
