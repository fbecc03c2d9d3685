-- @include text
-- EACH nodes = {}
-- A node as selection and the moves of a job see it: one packed record in `fleet`. To read its hash as
-- well, hardly ever in the processor's caches, would take a fifth longer; so the record repeats some
-- fields of it. The hash is the truth: who changes one of these there saves the node in the same call.
-- LOAD: capacity, used, foreign, why (0: usable, else the index of a Reason), last heartbeat. Then, each
-- ended by a zero byte, its process (none without a socket), its `ear` (the process that is told of what
-- comes for it), connection and pools; whether it acknowledges jobs and leaves when empty; its breaker.
local LOAD = '<HHHBd'
local RECORD = LOAD .. 'sssssss'

local function load_node(id, raw)
  if nodes[id] then return nodes[id] end
  raw = raw or call('HGET', cell .. 'fleet', id)
  if not raw then return nil end
  local capacity, used, foreign, why, beat, process, ear, conn, pools, acking, leave, breaker =
    struct.unpack(RECORD, raw)
  local ready = why == 0 and used + foreign < capacity
  nodes[id] = { id = id, capacity = capacity, used = used, foreign = foreign, why = why, beat = beat,
    process = process, ear = ear, conn = conn, pools = pools, acking = acking, leave = leave,
    breaker = breaker, listed = ready, idle = ready and used + foreign == 0 }
  return nodes[id]
end

local function record_of(node)
  return struct.pack(RECORD, node.capacity, node.used, node.foreign, node.why, node.beat, node.process,
    node.ear, node.conn, node.pools, node.acking, node.leave, node.breaker)
end

-- Writes the record and, only when the node crossed full/not full, working/idle or usable/not, its
-- ready and idle sets.
local function save_node(node)
  call('HSET', cell .. 'fleet', node.id, record_of(node))
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
