-- @include take_down
-- @include session
-- CONST resume_window_ms
-- A process's lease is over: its nodes' and sessions' sockets are gone, 64 of each a call. It is
-- struck off first, so that one that comes back meanwhile is told to replay everything.
local AT_ONCE = 64

local function on_process(id)
  local sessions_key = cell .. 'process:' .. id .. ':sessions'
  local its_nodes = call('SRANDMEMBER', cell .. 'process:' .. id .. ':nodes', AT_ONCE)
  local its_sessions = call('SRANDMEMBER', sessions_key, AT_ONCE)
  -- STEP
  call('SREM', cell .. 'processes', id)
  call('DEL', cell .. 'mailbox:' .. id)
  for _, session in ipairs(its_sessions) do
    call('ZADD', cell .. 'timers', now + resume_window_ms, 'session:' .. session)
    call('SREM', sessions_key, session)
  end
  for _, name in ipairs(its_nodes) do
    local node = load_node(name)
    if node then
      take_down(node, load_about(name), 'process')
    else
      call('SREM', cell .. 'process:' .. id .. ':nodes', name)
    end
  end
  if #its_nodes == AT_ONCE or #its_sessions == AT_ONCE then return end
  -- STEP
  call('ZREM', cell .. 'timers', 'process:' .. id)
end

local function on_session(id)
  close_session(id, call('HGET', cell .. 'session:' .. id, 'process'))
end
