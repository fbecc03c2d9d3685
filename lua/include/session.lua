-- @include job
-- @include offer
-- @include cancel
-- The end of a session: its live jobs first, a bounded number a call, then itself.
local JOBS_A_CALL = 16

-- Returns how many jobs were cancelled and whether more are left.
local function close_session(id, process)
  local key = cell .. 'session:' .. id
  local flat, jobs = call('HGETALL', key), {}
  for i = 1, #flat, 2 do
    local job = string.match(flat[i], '^job:(.+)$')
    if job then jobs[#jobs + 1] = job end
  end
  for i = 1, math.min(#jobs, JOBS_A_CALL) do
    local job = load_job(jobs[i])
    if job and not is_final(job.state) then
      offer(cancel_job(job, 'SESSION_CLOSED'))
    else
      call('HDEL', key, 'job:' .. jobs[i])
    end
  end
  if #jobs > JOBS_A_CALL then return JOBS_A_CALL, true end
  -- STEP
  call('DEL', key, cell .. 'indexes:' .. id, cell .. 'answers:' .. id)
  call('SREM', cell .. 'process:' .. process .. ':sessions', id)
  call('ZREM', cell .. 'timers', 'session:' .. id)
  return #jobs, false
end
