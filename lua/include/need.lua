-- @include text
-- A requirement: pools in order, values of has: sets, and the only node allowed, tab-separated. Pools
-- are ranked together, but `|` before one begins the next group, tried when those before it have
-- nobody. `@4` behind one is how many of its members are looked at. Behind the pools, each after a
-- `~`, are values that its node had better offer, too.

local read_need = remembered(function(text)
  local pools, has, pin = string.match(text, '^(.-)\t(.-)\t(.-)$')
  local need = { has = words(has), pin = pin, text = text, starts = {}, k = {} }
  need.pools = words(string.match(pools, '^[^~]*'))
  if string.find(pools, '[|@]') then
    for i, word in ipairs(need.pools) do
      local bar, name, k = string.match(word, '^(|?)([^@]*)@?(%d*)$')
      need.pools[i], need.starts[i], need.k[name] = name, bar ~= '', tonumber(k)
    end
  end
  for wish in string.gmatch(pools, '~(%S+)') do
    need.fitting = need.fitting or { has = words(has), k = need.k }
    need.fitting.has[#need.fitting.has + 1] = wish
  end
  return need
end)
