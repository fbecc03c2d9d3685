-- @include text
-- Whether a node is in all has: sets of a requirement.
local function offers(node, need)
  if #need.has == 0 then return true end
  node.offered = node.offered or set_of(words(node.has))
  for _, value in ipairs(need.has) do
    if not node.offered[value] then return false end
  end
  return true
end
