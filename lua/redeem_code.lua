-- Uses up a pairing code. Only codes that nobody was given count as guesses, of a client and of all
-- clients of the cell; over the limit of either no code is looked at until the guesses are forgotten.
-- `mark` tells the same try made once more.
-- KEYS cell
-- ARGV code, mark, client
-- CONST guess_window_ms, guesses_of_one, guesses_of_all
-- FLAGS allow-oom
-- RETURNS PAIRED node | SPENT | WRONG | LIMITED retry_ms
-- @include clock
-- @include tell
local key = cell .. 'pairing:' .. code
local limits = { [client] = guesses_of_one, all = guesses_of_all }
local node, ends, user = unpack(call('HMGET', key, 'node', 'until', 'user'))
if user == mark then return { 'PAIRED', node } end
local retry_ms, new = 0, {}
for who, most in pairs(limits) do
  local guesses = cell .. 'guesses:' .. who
  local count = call('SCARD', guesses)
  if count == 0 then new[#new + 1] = guesses end
  if call('SISMEMBER', guesses, mark) == 1 then return { 'WRONG' } end
  if count >= most then retry_ms = math.max(retry_ms, call('PTTL', guesses), 1) end
end
if retry_ms > 0 then return { 'LIMITED', tostring(retry_ms) } end
if node and (user ~= '' or tonumber(ends) <= now) then return { 'SPENT' } end

-- STEP
if not node then
  for who in pairs(limits) do call('SADD', cell .. 'guesses:' .. who, mark) end
  for _, guesses in ipairs(new) do call('PEXPIRE', guesses, guess_window_ms) end
  return { 'WRONG' }
end
call('HSET', key, 'user', mark)
emit('e', 'note', 'what', 'paired', 'node', node)
return { 'PAIRED', node }
