-- @include need
-- @include idle
-- @include rank
-- @include skips
-- CONST sample_k, stale_ms
-- EACH math.randomseed(instant[2])
-- EACH began = os.clock()
-- Decides where a job goes; reads only. Nobody ready here means really nobody.

-- The pools of a round: at most 4 of one group.
local function round_from(need, first)
  local last = first
  while last < math.min(first + 3, #need.pools) and not need.starts[last + 1] do last = last + 1 end
  looked.pools = math.max(looked.pools, last)
  return { unpack(need.pools, first, last) }
end

-- The best of some nodes that offer what the job asks for.
local function best_for(need, ids, skip, stale)
  if #need.has > 0 then
    -- @include offering
    local drawn = #ids
    ids = keep_offering(ids, need)
    looked.lacking = looked.lacking + drawn - #ids
  end
  return best_of(ids, skip, stale)
end

local function idle_node(round, need, skip, stale)
  for _ = 1, 3 do
    local node = best_for(need, draw_idle(round, #need.has > 0), skip, stale)
    if not node or now - node.beat > stale_ms / 3 then return end -- there may be a fresher one
    if #round == 1 or is_taken(node, round) then return node end
  end
end

local function look_round(round, need, skip, stale)
  local node = idle_node(round, need, skip, stale)
  if node then return node end
  -- @include sample, search
  local ids, all = draw(round, sample_k, need.k, false)
  node = best_for(need, ids, skip, stale)
  if node or all then return node end
  return search(round, need, skip, stale)
end

local function look(job, need, skip, stale)
  if need.pin ~= '' or job.preferred ~= '' then
    -- @include named
    local node, reason = named(need.pin ~= '' and need.pin or job.preferred, need, skip)
    looked.preferred = reason
    if node or need.pin ~= '' then return node end
  end
  local first = 1
  while first <= #need.pools do
    local round = round_from(need, first)
    local node = need.fitting and look_round(round, need.fitting, skip, stale)
      or look_round(round, need, skip, stale)
    if node then return node end
    first = first + #round
  end
end

-- Returns the node or nil, and stale nodes met on the way (at most 4 are taken out). A job that may
-- not wait takes a node to avoid rather than nobody.
local function choose(job, need)
  looks = looks + 1
  local stale, skip = {}, skips(job)
  looked = { pools = 0, sampled = 0, lacking = 0, excluded = 0, stale = 0, busy = 0, searched = 0 }
  local node = look(job, need, skip, stale)
  if not node and job.wait == 0 and job.avoid ~= '' then
    for _, id in ipairs(words(job.avoid)) do skip[id] = nil end
    for _, id in ipairs(words(job.had)) do skip[id] = true end
    node = look(job, need, skip, stale)
  end
  looked.stale = #stale
  local out = {}
  for i = 1, math.min(4, #stale) do out[i] = load_node(stale[i]) end
  return node, out
end
