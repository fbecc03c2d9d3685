-- @include node
-- Takes a slot of a node for a job: used stays |node:ID:jobs|.
local function occupy(job, node, pool)
  job.attempt, job.node, job.slot, job.pool = job.attempt + 1, node.id, '1', pool
  call('SADD', cell .. 'node:' .. node.id .. ':jobs', job.id)
  node.used = node.used + 1
  save_node(node)
end

local function pool_of(node, need)
  if #need.pools == 1 then return need.pools[1] end
  local mine = set_of(words(node.pools))
  for _, pool in ipairs(need.pools) do
    if mine[pool] then return pool end
  end
  return ''
end

-- Their own stale timer does the rest; here they only leave the ready sets.
local function take_out(stale)
  for _, node in ipairs(stale) do
    node.why = 1
    save_node(node)
  end
end
