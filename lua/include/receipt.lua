-- @include choose
-- How a node was chosen, for the history: words `name=value`, zeros left out. Pools tried, in order;
-- how many members were sampled, and of them lacked a has: value, were skipped, silent or busy; how
-- often a larger search was needed; why the preferred node was not taken; pools that serve it and
-- were left out, each with the reason; load of the winner and the runner-up; µs of the call so far.
local function receipt(need, passed)
  local all, more = looked, ''
  local fell = all.lacking + all.excluded + all.stale + all.busy
  if fell + all.searched > 0 or all.preferred or passed ~= '' then
    -- @include particulars
    more = particulars(passed)
  end
  local load, second = all.load, all.second
  return 'pools=' .. (all.pools == 1 and need.pools[1] or table.concat(need.pools, ',', 1, all.pools))
    .. ' sampled=' .. all.sampled .. more
    .. (load and ' load=' .. math.floor(load * 1000) / 1000 or '')
    .. (second and ' next=' .. math.floor(second * 1000) / 1000 or '')
    .. ' us=' .. math.floor((os.clock() - began) * 1000000)
end
