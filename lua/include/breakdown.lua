-- @include reasons
-- @include skips
-- Why nobody took it: 20 members of each of the first 4 pools, counted by reason.
-- Returns the counts and the reason that most of the nodes share.
local function breakdown(job, need)
  local counts, best, skip = {}, 'no_nodes', skips(job)
  local ids = need.pin ~= '' and { need.pin } or {}
  for i = 1, need.pin ~= '' and 0 or math.min(4, #need.pools) do
    for _, id in ipairs(call('SRANDMEMBER', cell .. 'pool:' .. need.pools[i], 20)) do
      ids[#ids + 1] = id
    end
  end
  for _, id in ipairs(ids) do
    local reason = reason_of(id, nil, need, skip)
    counts[reason] = (counts[reason] or 0) + 1
    if best == 'no_nodes' or counts[reason] > counts[best] then best = reason end
  end
  if #ids == 0 then counts.no_nodes = 0 end
  return cjson.encode(counts), best
end
