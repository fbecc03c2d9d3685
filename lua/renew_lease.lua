-- A web process says that it lives. When its lease had ended, or Redis lost it, the answer is LEASE
-- and the process replays all that it holds. `epoch` is made once in each life of Redis.
-- KEYS cell
-- ARGV process, mark
-- CONST lease_ms
-- FLAGS allow-oom
-- RETURNS KEPT epoch version pools | LEASE epoch version pools
-- @include clock
local kept = call('SISMEMBER', cell .. 'processes', process) == 1
local values = call('HMGET', cell .. 'config', 'version', 'pools')
local epoch = call('GET', cell .. 'epoch')

-- STEP
if not epoch then
  epoch = mark
  call('SET', cell .. 'epoch', mark, 'NX')
end
if not kept then
  call('SADD', cell .. 'processes', process)
  call('XADD', cell .. 'mailbox:' .. process, '*', 'kind', 'hello')
end
call('ZADD', cell .. 'timers', now + lease_ms, 'process:' .. process)
return { kept and 'KEPT' or 'LEASE', epoch, values[1] or '0', values[2] or '0' }
