-- @include take_down
-- @include session
-- CONST resume_window_ms
-- A process's lease is over: its nodes' and sessions' sockets are gone, 64 of each a call.
local AT_ONCE = 64

local function on_process(id)
  local nodes_key = cell .. 'process:' .. id .. ':nodes'
  local sessions_key = cell .. 'process:' .. id .. ':sessions'
  local its_nodes = call('SRANDMEMBER', nodes_key, AT_ONCE)
  local its_sessions = call('SRANDMEMBER', sessions_key, AT_ONCE)
  for _, name in ipairs(its_nodes) do
    local node, about = load_node(name), load_about(name)
    if node and node.process == id and about.state ~= 'offline' then
      take_down(node, about, 'process')
    else
      call('SREM', nodes_key, name)
    end
  end
  for _, session in ipairs(its_sessions) do
    call('ZADD', cell .. 'timers', now + resume_window_ms, 'session:' .. session)
    call('SREM', sessions_key, session)
  end
  if #its_nodes == AT_ONCE or #its_sessions == AT_ONCE then return end
  -- STEP
  call('ZREM', cell .. 'timers', 'process:' .. id)
  call('SREM', cell .. 'processes', id)
  call('DEL', cell .. 'mailbox:' .. id)
end

local function on_session(id)
  local process = call('HGET', cell .. 'session:' .. id, 'process')
  if not process then return call('ZREM', cell .. 'timers', 'session:' .. id) end
  close_session(id, process)
end
