-- @include sample
-- @include skips
-- CONST sample_k
-- Decides where a job goes; reads only. Nobody ready here means really nobody.
math.randomseed(instant[2])

local function size_of(set)
  local count = 0
  for _ in pairs(set) do count = count + 1 end
  return count
end

-- One round of at most 4 pools. A sample that yields nobody is taken once more, from every pool and
-- larger than all that is skipped; one spoilt by stale records up to 3 times.
local function look_round(round, need, skip, stale)
  for attempt = 1, 4 do
    local known = #stale
    local k = attempt == 1 and sample_k or math.max(sample_k, 20) + size_of(skip)
    local ids, all = draw(round, k, attempt > 1)
    local node = best_of(keep_offering(ids, need), skip, stale)
    if node or all then return node end
    if attempt > 1 and #stale == known then break end
  end
  for _, pool in ipairs(#need.has > 0 and round or {}) do
    local node = search(pool, need, skip, stale)
    if node then return node end
  end
end

-- A pinned or preferred node, if it passes every check.
local function named(id, need, skip)
  if id == '' or skip[id] then return nil end
  local node = load_node(id)
  if not node or not has_room(node) or not fresh(node) or not offers(node, need) then return nil end
  if need.pin == id then return node end
  local mine = set_of(words(node.pools))
  for _, pool in ipairs(need.pools) do
    if mine[pool] and node.why == 0 then return node end
  end
end

local function look(job, need, skip, stale)
  if need.pin ~= '' then return named(need.pin, need, skip) end
  local node = named(job.preferred, need, skip)
  if node then return node end
  for first = 1, #need.pools, 4 do
    local round = { unpack(need.pools, first, math.min(first + 3, #need.pools)) }
    node = look_round(round, need, skip, stale)
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
