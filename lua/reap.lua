-- Does what time demands: at most `limit` due timers a call, each in a step of its own. Every timer
-- that fires is removed or set anew by its handler. A long pause means that Redis stood still and
-- the peers could not speak: then leases and heartbeats get 5 s more.
-- KEYS cell
-- ARGV limit:int
-- CONST stall_ms, stall_hold_ms
-- FLAGS allow-oom
-- RETURNS REAPED fired more
-- @include clock
-- @include session
-- @include job_timer
-- @include node_timer
-- @include process_timer
-- @include sweep
-- @include brake
local last, hold, warned = string.match(call('GET', cell .. 'reaped') or '', '^(%d+) (%d+) ?(%d?)$')
last, hold = tonumber(last or now), tonumber(hold or 0)
if now - last > stall_ms then hold = now + stall_hold_ms end
local due = call('ZRANGE', cell .. 'timers', '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)
local limits = look_at_limits(warned == '1')

local HANDLERS = { job = on_job, node = on_node, process = on_process, session = on_session,
  sweep = sweep }

-- What damage has left behind must not hold up all the others.
local function is_nobodys(kind, rest)
  if kind == 'session' then return call('HEXISTS', cell .. 'session:' .. rest, 'process') == 0 end
  if kind == 'node' then
    return call('HEXISTS', cell .. 'fleet', string.match(rest, '^[^:]*')) == 0
  end
  return not HANDLERS[kind]
end

local function fire(member)
  local kind, rest = string.match(member, '^(%a+):?(.*)$')
  if is_nobodys(kind, rest) then return call('ZREM', cell .. 'timers', member) end
  if now >= hold or (kind ~= 'process' and kind ~= 'node') then return HANDLERS[kind](rest) end
  -- STEP
  call('ZADD', cell .. 'timers', hold, member)
end

-- One that fired before may have removed or moved this one. Of a job its hash says so, too.
local function fire_if_due(member)
  local is_job = string.sub(member, 1, 4) == 'job:'
  local at = is_job and now or call('ZSCORE', cell .. 'timers', member)
  if at and tonumber(at) <= now then fire(member) end
end

-- STEP
warned = apply_brake(limits)
call('SET', cell .. 'reaped', now .. ' ' .. hold .. ' ' .. flag(warned))
local failure = nil
for _, member in ipairs(due) do
  local done, fault = pcall(fire_if_due, member) -- damage must not hold up all the others
  if not done then failure = fault end
end
if failure then error(failure, 0) end
return { 'REAPED', tostring(#due), flag(#due == limit) }
