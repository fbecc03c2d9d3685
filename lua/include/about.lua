-- @include text
-- The packed description of a node in a registration, heartbeat or change of pools.
-- FIELDS capacity:int, arbitrates:bool, public:bool, enabled:bool, core:bool, gpu:bool, hot:bool, config:int, pools:list, has:list, out:list, definition, reasons, caps
-- CONST self_arbitrated_capacity
local MOST_SLOTS = 65535 -- as many as the packed record can hold

local function read_about(packed)
  local about = {}
  for i, name in ipairs(FIELDS) do
    local value = packed[i]
    if type(value) == 'boolean' then value = flag(value) end
    about[name] = value
  end
  if about.arbitrates == '1' then about.capacity = self_arbitrated_capacity end
  about.capacity = math.max(0, math.min(about.capacity, MOST_SLOTS))
  if about.public == '1' then about.has[#about.has + 1] = 'access:public' end
  return about
end

-- Into the node's hash, with further fields.
local function save_about(id, about, ...)
  call('HSET', cell .. 'node:' .. id, 'public', about.public, 'enabled', about.enabled,
    'core', about.core, 'gpu', about.gpu, 'arbitrates', about.arbitrates, 'hot', about.hot,
    'capacity', about.capacity, 'config', about.config, 'pools', table.concat(about.pools, ' '),
    'has', table.concat(about.has, ' '), 'reasons', about.reasons, 'caps', about.caps,
    'definition', about.definition, ...)
end

-- The cell's configuration is newer than what the pools were computed with.
local function outdated(about)
  local version = tonumber(call('HGET', cell .. 'config', 'version') or 0)
  return version > about.config and { 'OUTDATED', tostring(version) } or nil
end

-- Other services are out than those that were left out of it.
local function unaware(about, known)
  return table.concat(about.out, ' ') ~= known.out and { 'SERVICES', known.out } or nil
end
