-- What changes of a job, in its hash and in the table that a script has of it.
local function set_job(job, ...)
  local pairs_ = { ... }
  for i = 1, #pairs_, 2 do job[pairs_[i]] = pairs_[i + 1] end
  call('HSET', cell .. 'job:' .. job.id, ...)
end

local function set_timer(job, due)
  call('ZADD', cell .. 'timers', due, 'job:' .. job.id)
end
