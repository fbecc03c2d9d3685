-- @include node
-- CONST idle_k
-- EACH drawn = {}
-- EACH chosen = 0
-- Who has no work is found without looking at many: nobody is less loaded. `chosen`: for how many jobs
-- a call has looked. From the second on, as for those of the reaper, it takes `drawn` ones by handfuls:
-- to have SRANDMEMBER pick each out of a large set is a twelfth of what such a job costs.
local HANDFUL = 16

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

-- One of a handful, unless this call has given it a job meanwhile; nil when all have one.
local function next_of(key)
  local left = drawn[key] or {}
  if #left == 0 then
    -- @include sample
    left = some_of(key, call('SCARD', key), HANDFUL)
    drawn[key] = left
  end
  while #left > 0 do
    local id = table.remove(left, math.random(#left))
    if not nodes[id] or nodes[id].idle then return id end
  end
end

-- One of them as a rule; more of those that may lack what is asked for.
local function draw_idle(pools, picky)
  local pool, ids = #pools == 1 and pools[1] or draw_pool(pools), {}
  if not pool then return ids end
  local key = cell .. 'idle:' .. pool
  if picky then return call('SRANDMEMBER', key, 4 * idle_k) end
  for _ = 1, chosen > 1 and idle_k or 0 do ids[#ids + 1] = next_of(key) end
  return #ids > 0 and ids or call('SRANDMEMBER', key, idle_k)
end

-- Who is in several of the pools is drawn as often, and taken so much more seldom.
local function is_taken(node, pools)
  local count, mine = 0, set_of(words(node.pools))
  for _, pool in ipairs(pools) do
    if mine[pool] then count = count + 1 end
  end
  return count < 2 or math.random(count) == 1
end
