-- What a script is to keep: a small value is handed over itself, a large one lies in the `inbox`.

-- Keeps it as `key`. False when it is not in the inbox (any more): that shows before anything is written.
-- There it was laid down with the same TTL.
local function keep_value(key, ttl_ms)
  if inbox ~= '' then return not redis.pcall('RENAME', cell .. 'inbox:' .. inbox, key).err end
  call('SET', key, value, 'PX', ttl_ms)
  return true
end

local function without_value(answer)
  -- STEP
  if inbox ~= '' then call('UNLINK', cell .. 'inbox:' .. inbox) end
  return answer
end
