-- @include node
-- @include tell
-- Gives a slot back: used stays |node:ID:jobs|.
-- The node may have been emptied by this: one that was asked to leave then goes. One that was full
-- is marked as `freed`.
local function free_slot(job, node)
  job.slot = ''
  if not node then return end
  if call('SREM', cell .. 'node:' .. node.id .. ':jobs', job.id) == 0 then return end
  node.used = node.used - 1
  local full = not node.listed
  save_node(node)
  node.freed = full and node.listed
  if node.leave == '1' and node.used == 0 then
    post(node.ear, 'kind', 'control', 'node', node.id, 'conn', node.conn, 'command', 'kick',
      'reason', 'empty')
  end
end

-- Deployed agents work on all the same; others may stop.
local function call_off(job, node, code)
  if node and job.conn ~= '' then
    post(node.ear, 'kind', 'cancel', 'job', job.id, 'node', node.id, 'conn', node.conn,
      'code', code)
  end
end
