-- @include sample
-- @include rank
-- @include offering
-- CONST sample_k
-- Looks on when a small sample yielded nobody.
local function size_of(set)
  local count = 0
  for _ in pairs(set) do count = count + 1 end
  return count
end

-- Everybody who is ready and offers it, if few of one kind are, else more of the fewest.
local function search_pool(pool, need, skip, stale)
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

-- Larger samples than all that is skipped, from every pool; one spoilt by stale records is taken
-- again, up to 3 times.
local function search(round, need, skip, stale)
  looked.searched = looked.searched + 1
  for _ = 1, 3 do
    local known = #stale
    local ids, all = draw(round, math.max(sample_k, 20) + size_of(skip), need.k, true)
    local node = best_of(keep_offering(ids, need), skip, stale)
    if node or all then return node end
    if #stale == known then break end
  end
  for _, pool in ipairs(#need.has > 0 and round or {}) do
    local node = search_pool(pool, need, skip, stale)
    if node then return node end
  end
end
