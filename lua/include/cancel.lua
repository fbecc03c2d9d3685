-- @include job
-- @include free
-- @include settle
-- @include queue
-- Ends a live job as CANCELLED. A node that was sent the job keeps its slot until its answer,
-- because deployed agents work on; the job's timer then runs to the full job timeout. `unsent`: it
-- never was.
-- CONST job_timeout_ms
local function cancel_job(job, code, unsent)
  local node = job.slot == '1' and load_node(job.node) or nil
  local owner, from = owner_of(job), job.state
  local need = from == 'WAITING' and read_need(job.need)
  local queue = from == 'WAITING' and job.claim ~= '1' and read_queue(job.sig)
  -- STEP
  if queue then leave_queue(queue, job, need) end
  local is_free = from == 'RESERVED' or unsent
  if is_free then
    free_slot(job, node)
  elseif job.slot == '1' then
    call_off(job, node, code)
    set_job(job, 'due', math.max(job.due, job.taken + job_timeout_ms))
  end
  settle(job, 'CANCELLED', owner, { code = code })
  emit_end(job, from .. ' CANCELLED', code)
  return is_free and node or nil
end
