-- Which of the ready members of pools are looked at.

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
-- `own`: how many are looked at in pools that have a number of their own.
local function draw(pools, k, own, again)
  if #pools == 1 then
    local key = cell .. 'ready:' .. pools[1]
    local size = call('SCARD', key)
    local ids = size > 0 and some_of(key, size, not again and own[pools[1]] or k, again) or {}
    return ids, #ids == size
  end
  local sizes, total, ids, seen = {}, 0, {}, {}
  for i, pool in ipairs(pools) do
    sizes[i] = call('SCARD', cell .. 'ready:' .. pool)
    total = total + sizes[i]
  end
  for i, pool in ipairs(pools) do
    if sizes[i] > 0 then
      local share = again and k or own[pools[i]] or math.ceil(k * sizes[i] / total)
      for _, id in ipairs(some_of(cell .. 'ready:' .. pool, sizes[i], share, again)) do
        if not seen[id] then seen[id] = true; ids[#ids + 1] = id end
      end
    end
  end
  return ids, #ids == total
end
