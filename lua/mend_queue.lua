-- Makes all that is derived of one queue equal again to the jobs that wait in it: looks at its first
-- ones, and at `member`. `head`: a pool, or `node:ID`, by which it was found though it may not be.
-- KEYS cell
-- ARGV sig, head, member
-- CONST sweep_ms
-- FLAGS allow-oom
-- RETURNS MENDED changes
-- @include clock
-- @include job
-- @include tell
-- @include queue
local changes, strangers, need = 0, {}, nil
local FIRST = 63
local ids = call('ZRANGE', cell .. 'waiting:' .. sig, 0, FIRST)
if member ~= '' then ids[#ids + 1] = member end
for _, id in ipairs(ids) do
  local job = load_job(id)
  if job and job.state == 'WAITING' and job.sig == sig and job.claim ~= '1' then
    need = read_need(job.need)
  else
    strangers[#strangers + 1] = id
  end
end
local text = call('HGET', cell .. 'sigs', sig)
local listed = need or text and read_need(text)

-- STEP
for _, id in ipairs(strangers) do
  changes = changes + call('ZREM', cell .. 'waiting:' .. sig, id)
end
changes = changes + (head ~= '' and call('ZREM', cell .. 'heads:' .. head, sig) or 0)
local queue = read_queue(sig)
-- STEP
if need then
  local names = need.pin ~= '' and { 'node:' .. need.pin } or need.pools
  for _, name in ipairs(names) do
    changes = changes + call('ZADD', cell .. 'heads:' .. name, 'CH', queue.first_rank, sig)
  end
  changes = changes + call('HSET', cell .. 'sigs', sig, need.text)
  changes = changes + call('ZADD', cell .. 'queues', 'NX', now + sweep_ms, sig)
  changes = changes + call('ZADD', cell .. 'timers', 'NX', now + sweep_ms, 'sweep')
elseif not queue.first then
  if listed then set_heads(queue, listed, nil) end
  changes = changes + call('HDEL', cell .. 'sigs', sig) + call('ZREM', cell .. 'queues', sig)
end
if changes > 0 then emit('e', 'note', 'what', 'mended', 'text', sig .. ' ' .. changes .. ' entries') end
return { 'MENDED', tostring(changes) }
