-- @include need
-- @include sample
-- @include skips
-- CONST sample_k
-- Decides where a job goes; reads only. Nobody ready here means really nobody.
math.randomseed(instant[2])

-- One round of at most 4 pools.
local function look_round(round, need, skip, stale)
  local ids, all = draw(round, sample_k, false)
  if #need.has > 0 then
    -- @include offering
    ids = keep_offering(ids, need)
  end
  local node = best_of(ids, skip, stale)
  if node or all then return node end
  -- @include search
  return search(round, need, skip, stale)
end

local function look(job, need, skip, stale)
  if need.pin ~= '' or job.preferred ~= '' then
    -- @include named
    local node = named(need.pin ~= '' and need.pin or job.preferred, need, skip)
    if node or need.pin ~= '' then return node end
  end
  for first = 1, #need.pools, 4 do
    local round = { unpack(need.pools, first, math.min(first + 3, #need.pools)) }
    local node = look_round(round, need, skip, stale)
    if node then return node end
  end
end

-- Returns the node or nil, and stale nodes met on the way (at most 4 are taken out). A job that may
-- not wait takes a node to avoid rather than nobody.
local function choose(job, need)
  local stale, skip = {}, skips(job)
  local node = look(job, need, skip, stale)
  if not node and job.wait == 0 and job.avoid ~= '' then
    for _, id in ipairs(words(job.avoid)) do skip[id] = nil end
    for _, id in ipairs(words(job.had)) do skip[id] = true end
    node = look(job, need, skip, stale)
  end
  local out = {}
  for i = 1, math.min(4, #stale) do out[i] = load_node(stale[i]) end
  return node, out
end
