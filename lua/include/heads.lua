-- @include hand
-- @include offers
-- Who waits for a node, in the order of the heads of its queues.
local function fits(text, node)
  local has, pin = string.match(text, '^.-\t(.-)\t(.-)$')
  return (pin == '' or pin == node.id) and (has == '' or offers(node, { has = words(has) }))
end

-- Heads first..last of every queue list the node appears in, first in rank first.
local function heads_of(node, first, last)
  local keys, heads, seen = { cell .. 'heads:node:' .. node.id }, {}, {}
  if node.why == 0 then
    for _, pool in ipairs(words(node.pools)) do keys[#keys + 1] = cell .. 'heads:' .. pool end
  end
  for _, key in ipairs(keys) do
    local top = call('ZRANGE', key, first, last, 'WITHSCORES')
    for i = 1, #top, 2 do
      if not seen[top[i]] then
        seen[top[i]] = true
        heads[#heads + 1] = { sig = top[i], rank = tonumber(top[i + 1]) }
      end
    end
  end
  table.sort(heads, function(a, b) return a.rank < b.rank end)
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
