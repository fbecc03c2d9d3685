-- @include node
-- What a node is good for, from the fields of its hash. The numbers are those of lua.states.Reason.
local function judge(about)
  if about.state == 'offline' then return 1 end
  if about.enabled ~= '1' or about.state ~= 'ready' or about.breaker == 'open' then return 2 end
  if about.gpu ~= '1' then return 4 end
  if about.hot == '1' then return 5 end
  if about.arbitrates == '1' and tonumber(about.queue or 0) > 0 then return 6 end
  if about.public ~= '1' then return 3 end
  return 0
end

-- Half-open it gets one job of ours at a time.
local function slots_of(about, node)
  local capacity = tonumber(about.capacity)
  return about.breaker == 'half_open' and math.min(capacity, node.foreign + 1) or capacity
end

-- Draining wins over everything but offline; the core types decide the rest.
local function state_of(about)
  if about.drain and about.drain ~= '' then return 'draining' end
  if about.core == '1' then return 'ready' end
  local new = about.state == '' or about.state == 'offline' or about.state == 'registering'
  return new and 'registering' or 'degraded'
end

local JUDGED = { 'state', 'enabled', 'gpu', 'hot', 'arbitrates', 'queue', 'public', 'drain', 'core',
  'conn', 'past', 'process', 'credential', 'swaps', 'config', 'pools', 'has', 'gone', 'leave',
  'breaker', 'capacity', 'out', 'mark' }

local function load_about(id)
  local values, about = call('HMGET', cell .. 'node:' .. id, unpack(JUDGED)), {}
  for i, name in ipairs(JUDGED) do about[name] = values[i] or '' end
  if about.queue == '' then about.queue = '0' end
  return about
end
