-- @include node
-- CONST stale_ms
-- why 3: usable but private, so only for jobs pinned to it.
local function has_room(node)
  return (node.why == 0 or node.why == 3) and node.used + node.foreign < node.capacity
end

local function fresh(node) return now - node.beat <= stale_ms end
