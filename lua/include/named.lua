-- @include usable
-- @include offers
-- A pinned or preferred node, if it passes every check.
local function named(id, need, skip)
  if id == '' or skip[id] then return nil end
  local node = load_node(id)
  if not node or not has_room(node) or not fresh(node) or not offers(node, need) then return nil end
  if need.pin == id then return node end
  local mine = set_of(words(node.pools))
  for _, pool in ipairs(need.pools) do
    if mine[pool] and node.why == 0 then return node end
  end
end
