-- @include text
-- A requirement: pools in order, values of has: sets, and the only node allowed, tab-separated. Pools
-- are ranked together, but `|` before one begins the next group, tried when those before it have
-- nobody. `@4` behind one is how many of its members are looked at.
local function read_need(text)
  local pools, has, pin = string.match(text, '^(.-)\t(.-)\t(.-)$')
  local need = { pools = words(pools), has = words(has), pin = pin, text = text, starts = {}, k = {} }
  if string.find(pools, '[|@]') then
    for i, word in ipairs(need.pools) do
      local bar, name, k = string.match(word, '^(|?)([^@]*)@?(%d*)$')
      need.pools[i], need.starts[i], need.k[name] = name, bar ~= '', tonumber(k)
    end
  end
  return need
end
