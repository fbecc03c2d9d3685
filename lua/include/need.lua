-- @include text
-- A requirement: pools in order, values of has: sets, and the only node allowed, tab-separated.
local function read_need(text)
  local pools, has, pin = string.match(text, '^(.-)\t(.-)\t(.-)$')
  return { pools = words(pools), has = words(has), pin = pin, text = text }
end
