-- What `dispatch` answers of a job that has a node.
local function reserved(made)
  return { 'RESERVED', made.id, made.node, tostring(made.attempt), made.pool }
end

local function begun(made)
  return { 'DISPATCHED', made.id, made.node, tostring(made.attempt), made.pool, made.conn,
    tostring(made.uidx) }
end
