-- CONST avoid_ms
-- @include text
-- The avoided nodes count again once a job has waited a second, or if it may not wait.
local function skips(job)
  local skip = set_of(words(job.had))
  local patient = job.state ~= 'WAITING' and job.wait ~= 0
  if patient or (job.state == 'WAITING' and now - job.since < avoid_ms) then
    for _, id in ipairs(words(job.avoid)) do skip[id] = true end
  end
  return skip
end
