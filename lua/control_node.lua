-- An operator's word to a node: drain, resume, shutdown (drain, and leave when empty), kick, clear
-- (close its breaker, and its services are no longer out), refresh (only the agent does it). It takes
-- effect here at once, whether or not the agent understands `node_control`. A disable comes with the
-- configuration: here it is only recorded. What changes no state leaves a note, but for a refresh.
-- KEYS cell
-- ARGV id, command, reason, deadline_ms:int
-- FLAGS allow-oom
-- RETURNS OK state more | UNKNOWN
-- @include clock
-- @include judge
-- @include timers
-- @include take_down
-- @include offer
local about, node = load_about(id), load_node(id)
if not node then return { 'UNKNOWN' } end
local from, empty = about.state, node.used == 0
if command == 'drain' or command == 'shutdown' then
  about.drain = reason ~= '' and reason or command
elseif command == 'resume' then
  about.drain = ''
end
about.leave = flag(command == 'shutdown' or (command ~= 'resume' and about.leave == '1'))
if about.state ~= 'offline' then about.state = state_of(about) end

local services = command == 'clear' and call('HGET', cell .. 'node:' .. id, 'services')
services = services and cjson.decode(services) or {}

-- What still runs at the deadline of a drain goes elsewhere; -1: it may run to its end.
local drains = command == 'drain' or command == 'shutdown'
local due = drains and deadline_ms >= 0 and now + deadline_ms or nil

-- STEP
node.why, node.state, node.leave = judge(about), about.state, about.leave
save_node(node)
call('HSET', cell .. 'node:' .. id, 'state', about.state, 'drain', about.drain,
  'leave', about.leave)
if drains or command == 'resume' then
  call('HSET', cell .. 'node:' .. id, 'until', due or 0)
  node_timer(id, 'drain', due)
end
if command == 'clear' then
  -- @include breaker, services
  close_breaker(node, about)
  drop_services(id, services)
  tell_services(node, '')
elseif command ~= 'disable' then
  post(node.ear, 'kind', 'control', 'node', id, 'conn', node.conn, 'command', command,
    'reason', reason)
end
if command == 'shutdown' and empty then
  post(node.ear, 'kind', 'control', 'node', id, 'conn', node.conn, 'command', 'kick',
    'reason', 'empty')
end
if command == 'kick' and about.process == '' and from ~= 'offline' then
  take_down(node, about, 'kick')
  return { 'OK', 'offline', '0' }
end
if from ~= about.state then
  enter_state(node, from, command, 'text', reason)
elseif command ~= 'refresh' then
  emit('e', 'note', 'what', command, 'node', id, 'text', reason)
end
return { 'OK', about.state, flag(offer(node)) }
