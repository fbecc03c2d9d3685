-- @include tell
-- Tells the session's process where its job is now; of one that waits, how crowded its queue is.
local function tell_placed(job, owner, level)
  if job.session ~= '' then
    post(owner, 'placed', job.id, job.session, job.state, job.node, job.attempt, level or '')
  end
end
