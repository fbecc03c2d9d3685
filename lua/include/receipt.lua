-- @include choose
-- How a node was chosen, for the history: what `Receipt` in lua/receipts.py reads. Packed, as to write
-- it out in words would take a twentieth of a dispatch.
local COUNTS = '<IIIIIIfff'

local function receipt(need, passed)
  local all = looked
  local pools = all.pools == 1 and need.pools[1] or table.concat(need.pools, ',', 1, all.pools)
  return struct.pack(COUNTS, all.sampled, all.lacking, all.excluded, all.stale, all.busy, all.searched,
    all.load or -1, all.second or -1, os.clock() - began) .. pools .. '\t' .. (all.preferred or '')
    .. '\t' .. passed
end
