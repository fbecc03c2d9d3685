-- CONST pace_ttl_ms, wait_limit_ms
-- How fast a pool gives slots back while it is short of them: the time between the results of full
-- nodes, each new one counting an eighth. Told by `pace:P`, as that time and when the last one was.
local WEIGHT = 1 / 8

local function note_pace(pool)
  if pool == '' then return end
  local gap, at = string.match(call('GET', cell .. 'pace:' .. pool) or '', '^(%S+) (%d+)$')
  local new = at and math.max(0.1, math.min(now - at, wait_limit_ms)) or 0
  gap = tonumber(gap or 0)
  if gap > 0 then new = gap + (new - gap) * WEIGHT end
  -- STEP
  call('SET', cell .. 'pace:' .. pool, string.format('%.3f %d', new, now), 'PX', pace_ttl_ms)
end
