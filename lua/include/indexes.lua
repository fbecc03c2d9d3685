-- An agent runs a session index by index, and would wait for one that it was never sent.

-- Whether the node's last index of the session is this job's. `node`: where the job is.
local function has_last_index(job, node)
  if job.session == '' then return false end
  return job.uidx > 0
    and tonumber(call('HGET', cell .. 'indexes:' .. job.session, 'node:' .. node)) == job.uidx
end

local function give_back_index(job, node)
  call('HINCRBY', cell .. 'indexes:' .. job.session, 'node:' .. node, -1)
end
