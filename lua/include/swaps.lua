-- @include text
-- CONST swap_window_ms, max_swaps
-- Replacements of a node's live connection: when, and by whose address. Peers that fight over one id
-- would replace each other for ever.
local function recent_swaps(text)
  local recent = {}
  for _, swap in ipairs(words(text)) do
    local at = tonumber(string.match(swap, '^(%d+)@'))
    if now - at < swap_window_ms then recent[#recent + 1] = swap end
  end
  return recent
end

local function fought_over(swaps)
  local addresses, seen = 0, {}
  for _, swap in ipairs(swaps) do
    local address = string.match(swap, '@(.*)$')
    if not seen[address] then addresses, seen[address] = addresses + 1, true end
  end
  return #swaps >= max_swaps and addresses > 1
end
