-- RESERVED, DISPATCHED, ACKED → RETRYING → …: the node's process could not bring the job to the node,
-- or lost the node. No try is used up. A node that can't have been sent it is only avoided: it was
-- not taken, its connection had ended, or Redis did not answer.
-- KEYS cell
-- ARGV id, attempt:int, node, code
-- FLAGS allow-oom
-- RETURNS RELEASED state more | GONE
-- @include clock
-- @include job
-- @include offer
-- @include end_attempt
-- @include place
-- @include indexes
local job = load_job(id)
if not job or job.slot ~= '1' or job.attempt ~= attempt or job.node ~= node then return { 'GONE' } end
local holder = load_node(node)
local state = job.state
if job.stub == '1' then
  drop_stub(job)
elseif state == 'CANCELLED' then
  drop_cancelled(job)
else
  local unsent = state == 'RESERVED' or code == 'WS_DISCONNECTED' or code == 'SCHEDULER_DEPENDENCY_DOWN'
  local skipped = unsent and state == 'DISPATCHED' and has_last_index(job, node)
  state = retry(job, { code = code, soft = unsent })
  if skipped then give_back_index(job, node) end
end
return { 'RELEASED', state, flag(offer(holder)) }
