-- Makes all that is derived of a session equal again to its hash and its jobs: how many of them wait,
-- which are live, and whether its process has it or time does.
-- KEYS cell
-- ARGV id
-- CONST resume_window_ms
-- FLAGS allow-oom
-- RETURNS MENDED changes
-- @include clock
-- @include job
-- @include tell
local key, changes, waiting, strangers = cell .. 'session:' .. id, 0, 0, {}
local process, counted = unpack(call('HMGET', key, 'process', 'waiting'))
if not process then return { 'MENDED', '0' } end
local flat = call('HGETALL', key)
for i = 1, #flat, 2 do
  local name = string.match(flat[i], '^job:(.+)$')
  local job = name and load_job(name)
  if name and (not job or is_final(job.state) or job.session ~= id) then
    strangers[#strangers + 1] = flat[i]
  elseif job and job.state == 'WAITING' and job.claim ~= '1' then
    waiting = waiting + 1
  end
end
local list = cell .. 'process:' .. process .. ':sessions'
local held, lives = call('SISMEMBER', list, id) == 1, call('SISMEMBER', cell .. 'processes', process) == 1
local timed = call('ZSCORE', cell .. 'timers', 'session:' .. id)

-- STEP
for _, stranger in ipairs(strangers) do changes = changes + call('HDEL', key, stranger) end
if tonumber(counted or 0) ~= waiting then
  call('HSET', key, 'waiting', waiting)
  changes = changes + 1
end
if held then
  changes = changes + call('ZREM', cell .. 'timers', 'session:' .. id)
elseif not timed and lives then
  changes = changes + call('SADD', list, id)
elseif not timed then
  changes = changes + call('ZADD', cell .. 'timers', now + resume_window_ms, 'session:' .. id)
end
if changes > 0 then emit('e', 'note', 'what', 'mended', 'text', id .. ' ' .. changes .. ' entries') end
return { 'MENDED', tostring(changes) }
