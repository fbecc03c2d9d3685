-- CONST avoid_ms
-- @include text
-- Nodes that a job must not go to: for ever those that had it, and those to avoid (asked for, or
-- reserved there in vain) until it has waited a second.
local function skips(job)
  local skip = {}
  for _, id in ipairs(words(job.had)) do skip[id] = true end
  if job.state ~= 'WAITING' or now - job.since < avoid_ms then
    for _, id in ipairs(words(job.avoid)) do skip[id] = true end
  end
  return skip
end
