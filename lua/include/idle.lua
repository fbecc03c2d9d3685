-- @include text
-- CONST idle_k
-- Who has no work is found without looking at many: nobody is less loaded.

-- The pool to draw from, by how many idle members each has; nil when none has any.
local function draw_pool(pools)
  local sizes, total = {}, 0
  for i, pool in ipairs(pools) do
    sizes[i] = call('SCARD', cell .. 'idle:' .. pool)
    total = total + sizes[i]
  end
  local left = total > 0 and math.random(total) or 0
  for i, size in ipairs(sizes) do
    if left <= size then return total > 0 and pools[i] end
    left = left - size
  end
end

-- One of them as a rule; more of those that may lack what is asked for.
local function draw_idle(pools, picky)
  local pool = #pools == 1 and pools[1] or draw_pool(pools)
  return pool and call('SRANDMEMBER', cell .. 'idle:' .. pool, picky and 4 * idle_k or idle_k) or {}
end

-- Who is in several of the pools is drawn as often, and taken so much more seldom.
local function is_taken(node, pools)
  local count, mine = 0, set_of(words(node.pools))
  for _, pool in ipairs(pools) do
    if mine[pool] then count = count + 1 end
  end
  return count < 2 or math.random(count) == 1
end
