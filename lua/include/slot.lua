-- @include node
-- @include job
-- @include tell
-- CONST reservation_ttl_ms
-- Slots: taking one for a job, and giving it back. Both keep used = |node:ID:jobs|.
-- Further fields of the job may follow.
local function reserve(job, node, pool, ...)
  job.attempt = job.attempt + 1
  call('SADD', cell .. 'node:' .. node.id .. ':jobs', job.id)
  node.used = node.used + 1
  save_node(node)
  local due = now + reservation_ttl_ms
  set_job(job, 'state', 'RESERVED', 'attempt', job.attempt, 'node', node.id, 'slot', '1',
    'pool', pool, 'due', due, 'conn', '', 'lost', '', 'claim', '', ...)
  set_timer(job, due)
  post(node.process, 'kind', 'assign', 'job', job.id, 'attempt', job.attempt, 'node', node.id,
    'conn', node.conn)
end

local function tell_placed(job, owner)
  if job.session ~= '' then
    post(owner, 'kind', 'placed', 'job', job.id, 'session', job.session, 'state', job.state,
      'node', job.node, 'attempt', job.attempt)
  end
end

local function pool_of(node, need)
  if #need.pools == 1 then return need.pools[1] end
  local mine = set_of(words(node.pools))
  for _, pool in ipairs(need.pools) do
    if mine[pool] then return pool end
  end
  return ''
end

-- The node may have been emptied by this: one that was asked to leave then goes.
local function free_slot(job, node)
  job.slot = ''
  if not node then return end
  if call('SREM', cell .. 'node:' .. node.id .. ':jobs', job.id) == 0 then return end
  node.used = node.used - 1
  save_node(node)
  if node.leave == '1' and node.used == 0 then
    post(node.process, 'kind', 'control', 'node', node.id, 'conn', node.conn, 'command', 'kick',
      'reason', 'empty')
  end
end

-- Deployed agents work on all the same; others may stop.
local function call_off(job, node, code)
  if node and job.conn ~= '' then
    post(node.process, 'kind', 'cancel', 'job', job.id, 'node', node.id, 'conn', node.conn,
      'code', code)
  end
end

-- Their own stale timer does the rest; here they only leave the ready sets.
local function take_out(stale)
  for _, node in ipairs(stale) do
    node.why = 1
    save_node(node)
  end
end
