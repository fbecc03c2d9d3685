-- @include rank
-- @include need
-- @include job
-- EACH began = os.clock()
-- The plain way to choose, for comparison: a random sample of the pool's members, and for each of
-- them a hash read, a sweep of its expired slots and a count; then a sort by load.
local SAMPLE = 20

local function choose(job, need)
  local candidates, sampled = {}, 0
  for _, pool in ipairs(need.pools) do
    for _, id in ipairs(call('SRANDMEMBER', cell .. 'pool:' .. pool, SAMPLE)) do
      sampled = sampled + 1
      local about = call('HMGET', cell .. 'node:' .. id, 'state', 'enabled', 'public', 'gpu', 'hot',
        'capacity')
      local slots = cell .. 'node:' .. id .. ':slots'
      call('ZREMRANGEBYSCORE', slots, '-inf', now)
      local used, capacity = call('ZCARD', slots), tonumber(about[6])
      if about[1] == 'ready' and about[2] == '1' and about[3] == '1' and about[4] == '1'
        and about[5] ~= '1' and used < capacity then
        candidates[#candidates + 1] = { id = id, load = used / capacity }
      end
    end
  end
  table.sort(candidates, function(a, b) return a.load < b.load end)
  looked = { pools = #need.pools, sampled = sampled, lacking = 0, excluded = 0, stale = 0,
    busy = sampled - #candidates, searched = 0, load = candidates[1] and candidates[1].load,
    second = candidates[2] and candidates[2].load }
  return candidates[1] and load_node(candidates[1].id), {}
end
