-- @include tell
-- Tells the session's process where its job is now.
local function tell_placed(job, owner)
  if job.session ~= '' then
    post(owner, 'kind', 'placed', 'job', job.id, 'session', job.session, 'state', job.state,
      'node', job.node, 'attempt', job.attempt)
  end
end
