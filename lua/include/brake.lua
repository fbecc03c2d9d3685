-- @include tell_all
-- CONST most_live_bytes, alert_entries, most_entries, brake_ttl_ms
-- While a cell holds too much, `brake` says of what, and dispatch refuses: payloads of live jobs, or
-- events that are not in SQL yet. It is let off below nine tenths; everybody is told both times.
local MIB, GIB = 2 ^ 20, 2 ^ 30

-- Asking for it costs more than a job, so it is not done for little.
local function memory_limit()
  if most_live_bytes > 0 then return most_live_bytes end
  local all = tonumber(string.match(call('INFO', 'memory'), 'maxmemory:(%d+)') or 0)
  return all > 0 and all / 4 or GIB
end

-- Reads. `warned`: the length of the backlog was told before.
local function look_at_limits(warned)
  local held = call('GET', cell .. 'brake')
  local bytes = tonumber(call('GET', cell .. 'live_bytes') or 0)
  local entries, share = call('XLEN', cell .. 'events'), held and 0.9 or 1
  local seen = { held = held, entries = entries, warned = warned, told = {} }
  if entries >= most_entries * share then
    seen.why = 'backlog_full'
  elseif (most_live_bytes > 0 or bytes > MIB) and bytes > memory_limit() * share then
    seen.why = 'memory_full'
  end
  if (seen.why == nil) ~= (not held) then seen.told = call('SMEMBERS', cell .. 'processes') end
  return seen
end

-- Writes. True while the backlog is longer than what operators are warned of.
local function apply_brake(seen)
  if seen.why then
    call('SET', cell .. 'brake', seen.why, 'PX', brake_ttl_ms)
  elseif seen.held then
    call('DEL', cell .. 'brake')
  end
  post_all(seen.told, 'kind', 'pressure', 'sig', '', 'level', seen.why and 'PAUSE' or 'NONE')
  if seen.entries >= alert_entries and not seen.warned then
    emit('e', 'alert', 'what', 'backlog', 'text', seen.entries .. ' events are not in SQL yet')
  end
  return seen.entries >= alert_entries / 2 and (seen.warned or seen.entries >= alert_entries)
end
