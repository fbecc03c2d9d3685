-- @include text
-- What a node offers is only in its hash: few ask for it.
local function has_of(node)
  node.has = node.has or call('HGET', cell .. 'node:' .. node.id, 'has') or ''
  return node.has
end

-- Whether a node is in all has: sets of a requirement.
local function offers(node, need)
  if #need.has == 0 then return true end
  node.offered = node.offered or set_of(words(has_of(node)))
  for _, value in ipairs(need.has) do
    if not node.offered[value] then return false end
  end
  return true
end
