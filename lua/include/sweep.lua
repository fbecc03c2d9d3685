-- @include offer
-- CONST sweep_ms
-- Once a second: looks again at the heads of queues, in case a sample missed somebody or an avoided
-- node may be taken now. At most 64 queues and 64 hand-overs a call.
local SWEPT = 64

local function sweep_queue(sig)
  local given = 0
  while given < 8 do
    local first = read_queue(sig).first
    local job = first and load_job(first)
    local node, stale
    if job then node, stale = choose(job, read_need(job.need), nil) end
    if not node then return given end
    -- STEP
    take_out(stale)
    hand(job, node)
    given = given + 1
  end
  return given
end

local function sweep()
  local due = call('ZRANGE', cell .. 'queues', '-inf', now, 'BYSCORE', 'LIMIT', 0, SWEPT)
  local given = 0
  for _, sig in ipairs(due) do
    if given >= SWEPT then break end
    given = given + sweep_queue(sig)
    if call('EXISTS', cell .. 'waiting:' .. sig) == 1 then
      call('ZADD', cell .. 'queues', now + sweep_ms, sig)
    end
  end
  local left = call('ZRANGE', cell .. 'queues', 0, 0, 'WITHSCORES')
  if left[2] then
    call('ZADD', cell .. 'timers', math.max(tonumber(left[2]), now + 50), 'sweep')
  else
    call('ZREM', cell .. 'timers', 'sweep')
  end
end
