-- @include place
-- CONST avoid_ms
-- Gives free slots of a node to waiting jobs, in the order of the heads of its queues.
local HAND_OVERS = 8

local function may_use(job, node)
  if set_of(words(job.had))[node.id] then return false end
  return now - job.since >= avoid_ms or not set_of(words(job.avoid))[node.id]
end

-- The first of the 8 earliest jobs of a requirement that may use the node.
local function first_in(sig, node)
  for _, id in ipairs(call('ZRANGE', cell .. 'waiting:' .. sig, 0, 7)) do
    local job = load_job(id)
    if job and may_use(job, node) then return job end
  end
end

local function fits(text, node)
  local has, pin = string.match(text, '^.-\t(.-)\t(.-)$')
  return (pin == '' or pin == node.id) and (has == '' or offers(node, { has = words(has) }))
end

-- Heads first..last of every queue list the node appears in, earliest deadline first.
local function heads_of(node, first, last)
  local keys, heads, seen = { cell .. 'heads:node:' .. node.id }, {}, {}
  if node.why == 0 then
    for _, pool in ipairs(node.pools) do keys[#keys + 1] = cell .. 'heads:' .. pool end
  end
  for _, key in ipairs(keys) do
    local top = call('ZRANGE', key, first, last, 'WITHSCORES')
    for i = 1, #top, 2 do
      if not seen[top[i]] then
        seen[top[i]] = true
        heads[#heads + 1] = { sig = top[i], due = tonumber(top[i + 1]) }
      end
    end
  end
  table.sort(heads, function(a, b) return a.due < b.due end)
  return heads
end

local function next_for(node)
  for _, range in ipairs({ { 0, 7 }, { 8, 63 } }) do
    for _, head in ipairs(heads_of(node, range[1], range[2])) do
      local text = call('HGET', cell .. 'sigs', head.sig)
      local job = text and fits(text, node) and first_in(head.sig, node)
      if job then return job end
    end
  end
end

-- WAITING → RESERVED.
local function hand(job, node)
  local need, queue, owner = read_need(job.need), read_queue(job.sig), owner_of(job)
  -- STEP
  leave_queue(queue, job, need)
  reserve(job, node, pool_of(node, need))
  tell_placed(job, owner)
  emit('e', 'job', 'job', job.id, 'moves', 'WAITING RESERVED', 'attempt', job.attempt,
    'node', node.id, 'pool', job.pool, 'ms', now - job.born)
end

-- True when it stopped at its limit with slots left.
local function offer(node)
  if not node or not has_room(node) or not fresh(node) then return false end
  for _ = 1, HAND_OVERS do
    local job = next_for(node)
    if not job then return false end
    hand(job, node)
    if not has_room(node) then return false end
  end
  return true
end
