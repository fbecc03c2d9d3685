-- @include choose
-- How a node was chosen, for the history: words `name=value`, zeros left out. Pools tried, in order;
-- how many members were sampled, and of them lacked a has: value, were skipped, silent or busy; how
-- often a larger search was needed; load of the winner and the runner-up; why the preferred node was
-- not taken; pools that serve it and were left out, each with the reason; µs of the call so far.
local COUNTS = { 'sampled', 'lacking', 'excluded', 'stale', 'busy', 'searched' }

local function receipt(need, passed)
  local parts = { 'pools=' .. table.concat(need.pools, ',', 1, looked.pools) }
  for _, name in ipairs(COUNTS) do
    if looked[name] > 0 then parts[#parts + 1] = name .. '=' .. looked[name] end
  end
  if looked.load then parts[#parts + 1] = string.format('load=%.3g', looked.load) end
  if looked.second then parts[#parts + 1] = string.format('next=%.3g', looked.second) end
  if looked.preferred then parts[#parts + 1] = 'preferred=' .. looked.preferred end
  if passed and passed ~= '' then parts[#parts + 1] = 'passed=' .. string.gsub(passed, ' ', ',') end
  parts[#parts + 1] = 'us=' .. math.floor((os.clock() - began) * 1000000)
  return table.concat(parts, ' ')
end
