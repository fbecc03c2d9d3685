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
local job = load_job(id)
if not job or job.stub == '1' then return { 'UNKNOWN' } end
if is_final(job.state) then return { 'FINAL', job.state } end
if idle and job.state ~= 'WAITING' then return { 'RUNS' } end
local unsent, used, last = false, nil, nil
local indexes, mine = cell .. 'session:' .. job.session, 'node:' .. job.node
if process ~= '' and job.state == 'DISPATCHED' then
  local placed
  placed, used = unpack(call('HMGET', cell .. 'job:' .. id, 'begun', 'uidx'))
  unsent = placed == process .. ' ' .. job.attempt
  last = unsent and job.session ~= '' and call('HGET', indexes, mine)
end
local node = cancel_job(job, code, unsent)
-- An agent would wait for the index that it was never sent.
if last and used == last then call('HINCRBY', indexes, mine, -1) end
return { 'CANCELLED', flag(offer(node)) }
