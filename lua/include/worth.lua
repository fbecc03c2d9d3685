-- @include reasons
-- @include skips
-- What nodes are worth for a job, as JSON: those named, then some of each pool; `usable` or the first
-- check that they don't pass. `silent_ms`: since the last heartbeat.
local function worth(id, need, skip)
  local node = load_node(id)
  if not node then return { node = id, reason = 'offline' } end
  local passes = not skip[id] and has_room(node) and fresh(node) and offers(node, need)
  if need.pin ~= id and node.why ~= 0 then passes = false end
  return { node = id, reason = passes and 'usable' or reason_of(id, nil, need, skip),
    used = node.used, foreign = node.foreign, capacity = node.capacity,
    silent_ms = math.floor(now - node.beat), pools = node.pools }
end

local function worth_of(job, need, most, chosen)
  local ids, seen, list, skip = {}, { [''] = true }, {}, skips(job)
  local function add(id)
    if not seen[id] then seen[id] = true; ids[#ids + 1] = id end
  end
  add(chosen and chosen.id or '')
  add(need.pin)
  add(job.preferred)
  for _, pool in ipairs(need.pools) do
    for _, id in ipairs(call('SRANDMEMBER', cell .. 'pool:' .. pool, most)) do add(id) end
  end
  for i, id in ipairs(ids) do list[i] = worth(id, need, skip) end
  return #list > 0 and cjson.encode(list) or '[]'
end
