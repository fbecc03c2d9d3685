-- @include usable
-- @include offers
-- @include skips
-- Why nobody took it: 20 members of each of the first 4 pools, counted by reason.
local REASONS = { [0] = 'capacity_exceeded', 'offline', 'status_not_ready', 'not_in_public_pool',
  'gpu_unavailable', 'resource_threshold_exceeded', 'capacity_exceeded' }

local function lacking(value)
  return string.sub(value, 1, 4) == 'tts:' and 'tts_lang_unsupported' or 'model_not_available'
end

local function reason_of(id, raw, need, skip)
  if skip[id] then return 'excluded' end
  local node = load_node(id, raw)
  if not node then return 'offline' end
  for _, value in ipairs(need.has) do
    if not offers(node, { has = { value } }) then return lacking(value) end
  end
  if not fresh(node) then return 'offline' end
  return REASONS[node.why]
end

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
