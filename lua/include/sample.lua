-- @include node
-- @include need
-- @include offering
-- CONST stale_ms
-- Reads of selection: who of a pool's ready members is the best for a requirement.

-- Ids out of ready:P for pools of one round; k is split by the pools' sizes.
local function draw(pools, k, everyone)
  if #pools == 1 then return call('SRANDMEMBER', cell .. 'ready:' .. pools[1], k) end
  local sizes, total, ids, seen = {}, 0, {}, {}
  for i, pool in ipairs(pools) do
    sizes[i] = call('SCARD', cell .. 'ready:' .. pool)
    total = total + sizes[i]
  end
  for i, pool in ipairs(pools) do
    if sizes[i] > 0 then
      local share = everyone and k or math.ceil(k * sizes[i] / total)
      for _, id in ipairs(call('SRANDMEMBER', cell .. 'ready:' .. pool, share)) do
        if not seen[id] then seen[id] = true; ids[#ids + 1] = id end
      end
    end
  end
  return ids
end

-- Least loaded; then fewer heartbeats missed (in whole intervals, so that equal nodes share
-- evenly); ties at random: SRANDMEMBER answers a small set in one fixed order.
local function best_of(ids, skip, stale)
  local best, best_load, best_age, ties, raw_best = nil, 2, 0, 0, nil
  if #ids == 0 then return nil end
  for i, raw in ipairs(call('HMGET', cell .. 'fleet', unpack(ids))) do
    local id = ids[i]
    if raw and not skip[id] then
      local capacity, used, foreign, why, beat = struct.unpack(RECORD, raw)
      local age = math.floor((now - beat) * 3 / stale_ms)
      if now - beat > stale_ms then
        skip[id] = true
        stale[#stale + 1] = id
      elseif why == 0 and used + foreign < capacity then
        local load = (used + foreign) / capacity
        if load < best_load or (load == best_load and age < best_age) then
          best, best_load, best_age, ties, raw_best = id, load, age, 1, raw
        elseif load == best_load and age == best_age then
          ties = ties + 1
          if math.random(ties) == 1 then best, raw_best = id, raw end
        end
      end
    end
  end
  return best and load_node(best, raw_best)
end

-- When a sample yields nobody: everybody who is ready and offers it, if few of one kind are, else
-- more of the fewest.
local function search(pool, need, skip, stale)
  local keys, fewest, least = { cell .. 'ready:' .. pool }, nil, math.huge
  for i, value in ipairs(need.has) do keys[i + 1] = cell .. 'has:' .. value end
  for _, key in ipairs(keys) do
    local size = call('SCARD', key)
    if size < least then fewest, least = key, size end
  end
  if least <= 256 then return best_of(call('SINTER', unpack(keys)), skip, stale) end
  local ids = call('SRANDMEMBER', fewest, 200)
  for _, key in ipairs(keys) do ids = keep_members(ids, key) end
  return best_of(ids, skip, stale)
end
