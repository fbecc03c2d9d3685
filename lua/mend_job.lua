-- Makes all that is derived of a job equal again to its hash: its timer, its place on its node or in
-- its queue, its session's memory of it, and how long it stays.
-- KEYS cell
-- ARGV id
-- CONST final_ttl_ms
-- FLAGS allow-oom
-- RETURNS MENDED changes
-- @include clock
-- @include job
-- @include node
-- @include tell
-- @include queue
local job, changes = load_job(id), 0
if not job then return { 'MENDED', '0' } end
local key, session = cell .. 'job:' .. id, cell .. 'session:' .. job.session
local forever = call('PTTL', key) == -1
local at = tonumber(call('ZSCORE', cell .. 'timers', 'job:' .. id) or nil)
local node = job.slot == '1' and load_node(job.node)
local held = node and call('SISMEMBER', cell .. 'node:' .. job.node .. ':jobs', id) == 1
local waits = job.state == 'WAITING' and job.claim ~= '1'
local queue, need = waits and read_queue(job.sig), waits and read_need(job.need)
local queued = waits and call('ZSCORE', cell .. 'waiting:' .. job.sig, id)
local gone = job.session ~= '' and call('HEXISTS', session, 'process') == 0
local request = cell .. 'request:' .. job.request
local bound = job.request == '' or call('GET', request) == id and call('PTTL', request) == -1
local owned = job.session ~= '' and call('HEXISTS', session, 'process') == 1
local ended = is_final(job.state) and job.slot ~= '1'
local due = (job.lost ~= '' or job.slot == '1' and not node) and now or job.due

-- STEP
if ended then
  if forever then changes = changes + call('PEXPIRE', key, final_ttl_ms) end
  if job.request ~= '' then
    changes = changes + call('PEXPIRE', cell .. 'request:' .. job.request, final_ttl_ms, 'NX')
  end
  changes = changes + call('ZREM', cell .. 'timers', 'job:' .. id)
  changes = changes + call('UNLINK', cell .. 'payload:' .. id)
else
  if not forever then changes = changes + call('PERSIST', key) end
  if not is_final(job.state) then
    changes = changes + call('UNLINK', cell .. 'result:' .. id)
    if not bound then
      call('SET', request, id)
      changes = changes + 1
    end
    if gone then -- nobody waits for it; its result is kept for a while, as of a job over REST
      set_job(job, 'session', '')
      changes = changes + 1
    end
  end
  if not at or at > due then
    set_timer(job, due)
    changes = changes + 1
  end
  if job.slot == '1' and not node and job.lost == '' then
    set_job(job, 'lost', 'NODE_UNAVAILABLE')
    changes = changes + 1
  end
end
if node and not held then
  changes = changes + call('SADD', cell .. 'node:' .. job.node .. ':jobs', id)
  node.used = node.used + 1
  save_node(node)
end
if waits and not queued then
  join_queue(queue, job, need, job.due)
  count_waiting(job, -1) -- it was counted when it began to wait
  changes = changes + 1
end
if queued and tonumber(queued) ~= rank_of(job, job.due) then
  call('ZADD', cell .. 'waiting:' .. job.sig, rank_of(job, job.due), id)
  changes = changes + 1
end
if owned and not is_final(job.state) then
  changes = changes + call('HSETNX', session, 'job:' .. id, job.index)
end
if changes > 0 then emit('e', 'note', 'what', 'mended', 'job', id, 'text', changes .. ' entries') end
return { 'MENDED', tostring(changes) }
