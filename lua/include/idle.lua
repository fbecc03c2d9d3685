-- @include node
-- CONST idle_k
-- EACH handfuls = {}
-- EACH looks = 0
-- Who has no work is found without looking at many: nobody is less loaded. `looks`: for how many jobs
-- this call has looked. For the first one is drawn; for those after it, as in a turn of the reaper, a
-- handful is fetched at once: one SRANDMEMBER of a large set is a twelfth of what such a job costs.
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

-- Some of a set; SSCAN may find none of one that has shrunk.
local function handful_of(key)
  -- @include sample
  local size = call('SCARD', key)
  if size == 0 then return {} end
  local ids = some_of(key, size, HANDFUL)
  return #ids > 0 and ids or some_of(key, size, HANDFUL, true)
end

local function pick(ids) return #ids > 0 and table.remove(ids, math.random(#ids)) or nil end

-- Whoever is left of a handful may have been given a job by this call meanwhile.
local function next_of(key)
  local left = handfuls[key] or {}
  local id = pick(left)
  while id and nodes[id] and not nodes[id].idle do id = pick(left) end
  if id then return id end
  handfuls[key] = handful_of(key)
  return pick(handfuls[key])
end

-- One of them as a rule; more of those that may lack what is asked for.
local function draw_idle(pools, picky)
  local pool, ids = #pools == 1 and pools[1] or draw_pool(pools), {}
  if not pool then return ids end
  local key = cell .. 'idle:' .. pool
  if picky or looks == 1 then return call('SRANDMEMBER', key, picky and 4 * idle_k or idle_k) end
  for _ = 1, idle_k do ids[#ids + 1] = next_of(key) end
  return ids
end

-- Who is in several of the pools is drawn as often, and taken so much more seldom.
local function is_taken(node, pools)
  local count, mine = 0, set_of(words(node.pools))
  for _, pool in ipairs(pools) do
    if mine[pool] then count = count + 1 end
  end
  return count < 2 or math.random(count) == 1
end
