-- @include usable
-- Gives free slots of a node to waiting jobs, in the order of the heads of its queues.
local HAND_OVERS = 8

-- True when it stopped at its limit with slots left.
local function offer(node)
  if not node or not has_room(node) or not fresh(node) then return false end
  if has_queues == nil then has_queues = call('ZCARD', cell .. 'queues') > 0 end
  if not has_queues then return false end
  -- @include heads
  for _ = 1, HAND_OVERS do
    local job = next_for(node)
    if not job then return false end
    hand(job, node)
    if not has_room(node) then return false end
  end
  return true
end
