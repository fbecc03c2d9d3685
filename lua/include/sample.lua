-- @include node
-- CONST stale_ms
-- Reads of selection: who of a pool's ready members is the best for a requirement.

-- Of a large set SSCAN from a random place answers some 20 neighbours in its hash table for what one
-- member of SRANDMEMBER costs. They are always the same neighbours, which hardly matters as the best
-- of them is taken; and none may be answered of a set that has shrunk, so it is only the first look.
local LARGE = 256

local function some_of(key, size, count, again)
  if again or size < LARGE then return call('SRANDMEMBER', key, count) end
  local cursor, ids = unpack(call('SSCAN', key, math.random(2 ^ 30), 'COUNT', count))
  -- At the end of the table it goes on from its beginning, else those there would be seen less.
  local more = cursor == '0' and count - #ids or 0
  if more > 0 then
    for _, id in ipairs(call('SSCAN', key, 0, 'COUNT', more)[2]) do ids[#ids + 1] = id end
  end
  return ids
end

-- Ids out of ready:P for pools of one round, and whether these are all; k is split by their sizes.
local function draw(pools, k, again)
  if #pools == 1 then
    local key = cell .. 'ready:' .. pools[1]
    local size = call('SCARD', key)
    local ids = size > 0 and some_of(key, size, k, again) or {}
    return ids, #ids == size
  end
  local sizes, total, ids, seen = {}, 0, {}, {}
  for i, pool in ipairs(pools) do
    sizes[i] = call('SCARD', cell .. 'ready:' .. pool)
    total = total + sizes[i]
  end
  for i, pool in ipairs(pools) do
    if sizes[i] > 0 then
      local share = again and k or math.ceil(k * sizes[i] / total)
      for _, id in ipairs(some_of(cell .. 'ready:' .. pool, sizes[i], share, again)) do
        if not seen[id] then seen[id] = true; ids[#ids + 1] = id end
      end
    end
  end
  return ids, #ids == total
end

-- Least loaded; then fewer heartbeats missed (in whole intervals, so that equal nodes share
-- evenly); ties at random: SRANDMEMBER answers a small set in one fixed order.
local function best_of(ids, skip, stale)
  if #ids == 0 then return nil end
  local records = call('HMGET', cell .. 'fleet', unpack(ids))
  local best, best_load, best_age, ties = nil, 1, 0, 0
  local read, interval_ms, oldest = struct.unpack, stale_ms / 3, now - stale_ms
  for i = 1, #ids do
    local raw = records[i]
    if raw and not skip[ids[i]] then
      local capacity, used, foreign, why, beat = read(RECORD, raw)
      local load = (used + foreign) / capacity
      if beat < oldest then
        skip[ids[i]] = true
        stale[#stale + 1] = ids[i]
      elseif why == 0 and load < 1 and load <= best_load then
        local age = math.floor((now - beat) / interval_ms)
        if load < best_load or age < best_age then
          best, best_load, best_age, ties = i, load, age, 1
        elseif age == best_age then
          ties = ties + 1
          if math.random(ties) == 1 then best = i end
        end
      end
    end
  end
  return best and load_node(ids[best], records[best])
end
