-- @include text
-- EACH nodes = {}
-- A node as selection sees it: the packed record in `fleet` and a few fields of its hash.
-- A node without a socket has no process; `ear` is then the one through which it asked for jobs last.
-- Record: capacity, used, foreign, why (0: usable, else the index of a Reason), last heartbeat.
local RECORD = '<HHHBd'

local function load_node(id, raw)
  if nodes[id] then return nodes[id] end
  raw = raw or call('HGET', cell .. 'fleet', id)
  if not raw then return nil end
  local capacity, used, foreign, why, beat = struct.unpack(RECORD, raw)
  local about = call('HMGET', cell .. 'node:' .. id, 'process', 'conn', 'pools', 'has', 'state',
    'acking', 'leave', 'breaker', 'ear')
  local ready = why == 0 and used + foreign < capacity
  nodes[id] = { id = id, capacity = capacity, used = used, foreign = foreign, why = why, beat = beat,
    listed = ready, idle = ready and used + foreign == 0, process = about[1] or '', conn = about[2] or '',
    pools = about[3] or '', has = about[4] or '', state = about[5] or '', acking = about[6] or '',
    leave = about[7] or '', breaker = about[8] or '' }
  nodes[id].ear = nodes[id].process ~= '' and nodes[id].process or about[9] or ''
  return nodes[id]
end

-- Writes the record and, only when the node crossed full/not full, working/idle or usable/not, its
-- ready and idle sets.
local function save_node(node)
  call('HSET', cell .. 'fleet', node.id, struct.pack(RECORD, node.capacity, node.used,
    node.foreign, node.why, node.beat))
  local load = node.used + node.foreign
  local ready = node.why == 0 and load < node.capacity
  local idle = ready and load == 0
  if ready == node.listed and idle == node.idle then return end
  for _, pool in ipairs(words_of(node.pools)) do
    if ready ~= node.listed then
      call(ready and 'SADD' or 'SREM', cell .. 'ready:' .. pool, node.id)
    end
    if idle ~= node.idle then call(idle and 'SADD' or 'SREM', cell .. 'idle:' .. pool, node.id) end
  end
  node.listed, node.idle = ready, idle
end
