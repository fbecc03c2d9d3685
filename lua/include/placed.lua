-- @include tell
-- Tells the session's process where its job is now; of one that waits, how crowded its queue is.
local function tell_placed(job, owner, level)
  if job.session ~= '' then
    post(owner, 'kind', 'placed', 'job', job.id, 'session', job.session, 'state', job.state,
      'node', job.node, 'attempt', job.attempt, 'level', level or '')
  end
end
