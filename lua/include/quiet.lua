-- @include job
-- CONST quiet_ms
-- Deployed agents answer neither repeated speech nor some empty audio. A job is given up when its
-- node reported no work at all at two heartbeats quiet_ms apart, the first quiet_ms after hand-over
-- (or the last partial), and at every one between; but not while a later part of its turn is live.
local function quiet_candidates(id)
  local jobs = {}
  for _, job in ipairs(call('SMEMBERS', cell .. 'node:' .. id .. ':jobs')) do
    local loaded = load_job(job)
    if loaded and loaded.taken > 0 then jobs[#jobs + 1] = loaded end
  end
  return jobs
end

local function give_up(job, node)
  -- @include end_attempt, place, turn
  if job.stub == '1' then
    drop_stub(job)
  elseif job.state == 'CANCELLED' then
    drop_cancelled(job)
  elseif is_continued(job) then
    return
  elseif job.conn == node.conn then
    end_on_node(job, 'NO_RESULT')
  else
    retry(job, { code = 'NO_RESULT' })
  end
end

local function watch_quiet(jobs, idle, node)
  for _, job in ipairs(jobs) do
    if not idle then
      if job.quiet > 0 then set_job(job, 'quiet', 0) end
    elseif job.quiet > 0 and now - job.quiet >= quiet_ms then
      give_up(job, node)
    elseif job.quiet == 0 and now - job.taken >= quiet_ms then
      set_job(job, 'quiet', now)
    end
  end
end
