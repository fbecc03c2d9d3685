-- @include job
-- @include choose
-- @include hand
-- CONST sweep_ms
-- Once a second: looks again for the first of each queue, in case a sample missed somebody, or an
-- avoided node may be taken now, or a slot was left over. Of jobs that had a node, or avoid one, for
-- each. At most 64 queues, 64 hand-overs and about 96 looks a call.
local SWEPT, LOOKS = 64, 96

local function sweep_queue(sig)
  local given, looks = 0, 0
  for _, id in ipairs(call('ZRANGE', cell .. 'waiting:' .. sig, 0, HAND_OVERS - 1)) do
    local job = load_job(id)
    local node, stale = nil, {}
    if job then node, stale = choose(job, read_need(job.need)) end
    looks = looks + 1
    -- STEP
    take_out(stale)
    if not job then
      call('ZREM', cell .. 'waiting:' .. sig, id) -- damage: nothing else is known of it
    elseif node then
      hand(job, node)
      given = given + 1
    elseif job.had == '' and job.avoid == '' then
      break
    end
  end
  return given, looks
end

local function sweep()
  local due = call('ZRANGE', cell .. 'queues', '-inf', now, 'BYSCORE', 'LIMIT', 0, SWEPT)
  local given, looks = 0, 0
  for _, sig in ipairs(due) do
    if given >= SWEPT or looks >= LOOKS then break end
    local more, further = sweep_queue(sig)
    given, looks = given + more, looks + further
    -- STEP
    call('ZADD', cell .. 'queues', 'XX', now + sweep_ms, sig)
  end
  local left = call('ZRANGE', cell .. 'queues', 0, 0, 'WITHSCORES')
  -- STEP
  if left[2] then
    call('ZADD', cell .. 'timers', math.max(tonumber(left[2]), now + 50), 'sweep')
  else
    call('ZREM', cell .. 'timers', 'sweep')
  end
end
