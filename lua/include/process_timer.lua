-- @include take_down
-- @include session
-- CONST resume_window_ms
-- A process's lease is over: its nodes' and sessions' sockets are gone, 64 of each a call. It is
-- struck off first, so that one that comes back meanwhile is told to replay everything.
local AT_ONCE = 64

local function lose_nodes(id, names, key)
  for _, name in ipairs(names) do
    local node, about = load_node(name), load_about(name)
    if node and node.process == id and about.state ~= 'offline' then
      take_down(node, about, 'process')
    else
      -- STEP
      call('SREM', key, name)
    end
  end
end

local function on_process(id)
  local nodes_key = cell .. 'process:' .. id .. ':nodes'
  local sessions_key = cell .. 'process:' .. id .. ':sessions'
  local its_nodes = call('SRANDMEMBER', nodes_key, AT_ONCE)
  local its_sessions = call('SRANDMEMBER', sessions_key, AT_ONCE)
  -- STEP
  call('SREM', cell .. 'processes', id)
  call('DEL', cell .. 'mailbox:' .. id)
  for _, session in ipairs(its_sessions) do
    call('ZADD', cell .. 'timers', now + resume_window_ms, 'session:' .. session)
    call('SREM', sessions_key, session)
  end
  if #its_nodes < AT_ONCE and #its_sessions < AT_ONCE then
    call('ZREM', cell .. 'timers', 'process:' .. id)
  end
  lose_nodes(id, its_nodes, nodes_key)
end

local function on_session(id)
  local process = call('HGET', cell .. 'session:' .. id, 'process')
  if not process then return call('ZREM', cell .. 'timers', 'session:' .. id) end
  close_session(id, process)
end
