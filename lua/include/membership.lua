-- @include node
-- @include tell_all
-- @include summary
-- A node's pools and has: sets, changed by difference only: nothing is cleared and built again.
local function difference(old, new)
  local before, after, added, removed = set_of(old), set_of(new), {}, {}
  for _, name in ipairs(new) do
    if not before[name] then added[#added + 1] = name end
  end
  for _, name in ipairs(old) do
    if not after[name] then removed[#removed + 1] = name end
  end
  return added, removed
end

-- Reads: what must change, which auto pools are made or emptied by it, and who has to know.
local function plan_membership(node, pools, has, definition, reasons)
  local plan = { pools = pools, has = has, definition = definition, reasons = reasons, emptied = {} }
  plan.joined, plan.left = difference(words(node.pools), pools)
  plan.gained, plan.lost = difference(words(has_of(node)), has)
  if pools[1] and definition ~= '' then
    plan.made = call('HEXISTS', cell .. 'pools', pools[1]) == 0
  end
  for _, pool in ipairs(plan.left) do
    if call('SCARD', cell .. 'pool:' .. pool) == 1 then
      plan.emptied[#plan.emptied + 1] = pool
    end
  end
  plan_offers(plan, node)
  if plan.made or plan.news then
    plan.told = call('SMEMBERS', cell .. 'processes')
    plan.version = call('HGET', cell .. 'config', 'version') or 0
  end
  return plan
end

-- Why it joined and left the pools of this change, as JSON.
local function reasons_of(plan)
  if plan.reasons == '' then return '' end
  local all, some = cjson.decode(plan.reasons), {}
  for _, pool in ipairs(plan.joined) do some[pool] = all[pool] end
  for _, pool in ipairs(plan.left) do some[pool] = all[pool] end
  return cjson.encode(some)
end

-- Writes. What save_node keeps of a node that changes is here moved with its pools.
local function apply_membership(node, plan, why)
  for _, pool in ipairs(plan.left) do
    call('SREM', cell .. 'pool:' .. pool, node.id)
    call('SREM', cell .. 'ready:' .. pool, node.id)
    call('SREM', cell .. 'idle:' .. pool, node.id)
  end
  for _, pool in ipairs(plan.joined) do
    call('SADD', cell .. 'pool:' .. pool, node.id)
    if node.listed then call('SADD', cell .. 'ready:' .. pool, node.id) end
    if node.idle then call('SADD', cell .. 'idle:' .. pool, node.id) end
  end
  for _, value in ipairs(plan.lost) do call('SREM', cell .. 'has:' .. value, node.id) end
  for _, value in ipairs(plan.gained) do call('SADD', cell .. 'has:' .. value, node.id) end
  if plan.made then call('HSET', cell .. 'pools', plan.pools[1], plan.definition) end
  for _, pool in ipairs(plan.emptied) do call('HDEL', cell .. 'pools', pool) end
  save_offers(plan)
  if plan.told then
    call('HINCRBY', cell .. 'config', 'pools', 1)
    post_all(plan.told, 'kind', 'config', 'version', plan.version)
  end
  node.pools, node.has = table.concat(plan.pools, ' '), table.concat(plan.has, ' ')
  node.offered = nil
  if #plan.joined + #plan.left > 0 then
    emit('e', 'pool', 'node', node.id, 'joined', table.concat(plan.joined, ' '),
      'left', table.concat(plan.left, ' '), 'why', why, 'reasons', reasons_of(plan))
  end
end
