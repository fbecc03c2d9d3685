-- Redis may be an older copy: a node's indexes of a session go on from the last that it was sent.
local function keep_numbers(sent, id)
  for _, pair in ipairs(sent or {}) do
    local key, field = cell .. 'indexes:' .. pair[1], 'node:' .. id
    local lives = call('HEXISTS', cell .. 'session:' .. pair[1], 'process') == 1
    if lives and tonumber(call('HGET', key, field) or -1) < pair[2] then
      -- STEP
      call('HSET', key, field, pair[2])
    end
  end
end
