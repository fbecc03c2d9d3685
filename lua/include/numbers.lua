-- Redis may be an older copy: a node's indexes of a session go on from the last that it was sent.
local function keep_numbers(sent, id)
  for _, pair in ipairs(sent or {}) do
    local key, field = cell .. 'session:' .. pair[1], 'node:' .. id
    local known = call('HMGET', key, 'process', field)
    if known[1] and (tonumber(known[2]) or -1) < pair[2] then
      -- STEP
      call('HSET', key, field, pair[2])
    end
  end
end
