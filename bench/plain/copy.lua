-- Makes nodes like a model: whatever there is of it is written again under each of the names.
-- KEYS cell
-- ARGV names, model
-- RETURNS OK
-- @include clock
local commands, pattern = {}, string.gsub(model, '%-', '%%-')

local function of_hash(key)
  local whole = string.find(key, pattern)
  local command, all = { 'HSET', key }, call('HGETALL', key)
  for i = 1, #all, 2 do
    if whole or all[i] == model then
      command[#command + 1], command[#command + 2] = all[i], all[i + 1]
    end
  end
  return command[3] and command
end

local function of_zset(key)
  local found = call('ZSCAN', key, 0, 'MATCH', '*' .. model .. '*', 'COUNT', 1000000)[2]
  return found[1] and { 'ZADD', key, found[2], found[1] }
end

for _, key in ipairs(call('KEYS', string.gsub(cell, '[{}]', '?') .. '*')) do
  local kind = call('TYPE', key).ok
  if kind == 'hash' then
    commands[#commands + 1] = of_hash(key) or nil
  elseif kind == 'zset' then
    commands[#commands + 1] = of_zset(key) or nil
  elseif kind == 'set' and call('SISMEMBER', key, model) == 1 then
    commands[#commands + 1] = { 'SADD', key, model }
  end
end
local places = {}
for i, command in ipairs(commands) do
  places[i] = {}
  for place, word in ipairs(command) do
    if string.find(word, pattern) then places[i][place] = word end
  end
end
for _, name in ipairs(cmsgpack.unpack(names)) do
  for i, command in ipairs(commands) do
    for place, word in pairs(places[i]) do command[place] = string.gsub(word, pattern, name) end
    call(unpack(command))
  end
end
return { 'OK' }
