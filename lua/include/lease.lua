-- CONST lease_ms
-- Whatever a process holds ends with its lease. One that acts without a lease (it had ended) gets
-- a timer here, so that what it leaves behind is found; its next renewal is answered LEASE.
local function hold_to_account(process)
  call('ZADD', cell .. 'timers', 'NX', now + lease_ms, 'process:' .. process)
end

-- The socket of a node is the process's now; a node without one is nobody's.
local function bear_node(node, process)
  if process == '' then return end
  call('SADD', cell .. 'process:' .. process .. ':nodes', node)
  hold_to_account(process)
end
