-- @include node
-- A node's first record.
local function new_node(id)
  nodes[id] = { id = id, used = 0, foreign = 0, why = 1, process = '', ear = '', conn = '', pools = '',
    acking = '', leave = '', breaker = '', has = '', listed = false, idle = false }
  return nodes[id]
end

-- Redis keeps a hash of up to 512 fields as a list, and selection would walk that for each node it
-- looks at. One long value, at once written over by the record, makes it a table for good.
local function keep_hashed(id) call('HSET', cell .. 'fleet', id, string.rep(' ', 65)) end
