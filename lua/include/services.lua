-- @include node
-- @include timers
-- Services of a node of which something is remembered, by id: JSON in its hash. `phase`: watched (they
-- failed), out (left out of what the node offers) or trial (back again; one failure more takes it out
-- for twice as long). Each has a timer. The node's process moves its memberships when `out` changes.
local function read_services(id)
  local text = call('HGET', cell .. 'node:' .. id, 'services')
  return text and cjson.decode(text) or {}
end

local function tell_services(node, out)
  call('HSET', cell .. 'node:' .. node.id, 'out', out)
  post(node.ear, 'kind', 'services', 'node', node.id, 'conn', node.conn, 'out', out)
end

local function save_services(node, services, name, due)
  local out, lame, left = {}, false, false
  for service, one in pairs(services) do
    left = true
    if one.phase == 'out' then out[#out + 1] = service end
    lame = lame or one.phase == 'out' and one.pause > 0
  end
  table.sort(out)
  local key = cell .. 'node:' .. node.id
  if left then
    call('HSET', key, 'services', cjson.encode(services))
  else
    call('HDEL', key, 'services')
  end
  call(lame and 'SADD' or 'SREM', cell .. 'lame', node.id)
  node_timer(node.id, 'service:' .. name, due)
  tell_services(node, table.concat(out, ' '))
end

-- Leaves nothing behind, but does not tell.
local function drop_services(id, services)
  for service in pairs(services) do node_timer(id, 'service:' .. service, nil) end
  call('HDEL', cell .. 'node:' .. id, 'services', 'out')
  call('SREM', cell .. 'lame', id)
end
