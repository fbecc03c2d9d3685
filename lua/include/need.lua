-- @include text
-- A requirement: pools in order, values of has: sets, and the only node allowed, tab-separated.
local function read_need(text)
  local pools, has, pin = string.match(text, '^(.-)\t(.-)\t(.-)$')
  return { pools = words(pools), has = words(has), pin = pin, text = text }
end

local function offers(node, need)
  if #need.has == 0 then return true end
  node.offered = node.offered or set_of(words(node.has))
  for _, value in ipairs(need.has) do
    if not node.offered[value] then return false end
  end
  return true
end
