-- @include node
-- CONST stale_ms
-- EACH looked = nil
-- `looked`: what a job's receipt says of the choice.

-- Least loaded; then fewer heartbeats missed (in whole intervals, so that equal nodes share
-- evenly); ties at random: SRANDMEMBER answers a small set in one fixed order.
local function best_of(ids, skip, stale)
  if #ids == 0 then return nil end
  local records = call('HMGET', cell .. 'fleet', unpack(ids))
  local best, best_load, best_age, ties, second = nil, 1, 0, 0, nil
  local read, interval_ms, oldest = struct.unpack, stale_ms / 3, now - stale_ms
  looked.sampled = looked.sampled + #ids
  for i = 1, #ids do
    local raw = records[i]
    if raw and not skip[ids[i]] then
      local capacity, used, foreign, why, beat = read(LOAD, raw)
      local load = (used + foreign) / capacity
      if beat < oldest then
        skip[ids[i]] = true
        stale[#stale + 1] = ids[i]
      elseif why ~= 0 or load >= 1 then
        looked.busy = looked.busy + 1
      elseif load <= best_load then
        local age = math.floor((now - beat) / interval_ms)
        if best then second = best_load end
        if load < best_load or age < best_age then
          best, best_load, best_age, ties = i, load, age, 1
        elseif age == best_age then
          ties = ties + 1
          if math.random(ties) == 1 then best = i end
        end
      elseif not second or load < second then
        second = load
      end
    else
      looked.excluded = looked.excluded + 1
    end
  end
  if not best then return nil end
  looked.load, looked.second = best_load, second
  return load_node(ids[best], records[best])
end
