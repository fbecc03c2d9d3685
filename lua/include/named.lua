-- @include reasons
-- A pinned or preferred node, if it passes every check; else nil and the check that failed.
local function named(id, need, skip)
  local node = not skip[id] and load_node(id)
  if not node or not has_room(node) or not fresh(node) or not offers(node, need) then
    return nil, reason_of(id, nil, need, skip)
  end
  if need.pin == id then return node end
  if node.why ~= 0 then return nil, REASONS[node.why] end
  local mine = set_of(words(node.pools))
  for _, pool in ipairs(need.pools) do
    if mine[pool] then return node end
  end
  return nil, 'lang_pair_unsupported'
end
