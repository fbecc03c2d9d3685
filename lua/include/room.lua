-- CONST queue_jobs, queues, session_jobs
-- Whether one more job may wait: nil, or which limit forbids it.
local function crowded(queue, job)
  if queue.count >= queue_jobs then return 'queue_full' end
  if not queue.first and call('ZCARD', cell .. 'queues') >= queues then return 'queues_full' end
  local mine = job.session ~= '' and call('HGET', cell .. 'session:' .. job.session, 'waiting')
  return mine and tonumber(mine) >= session_jobs and 'session_full' or nil
end
