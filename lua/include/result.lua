-- CONST result_ttl_ms
-- What the node answered, under its job's name. False when the value is not in the inbox (any more).
local function store_result(id)
  local key = cell .. 'result:' .. id
  if redis.pcall('RENAME', cell .. 'inbox:' .. inbox, key).err then return false end
  call('PEXPIRE', key, result_ttl_ms)
  return true
end
