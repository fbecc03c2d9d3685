-- @include text
-- The packed description of a node in a registration, heartbeat or change of pools.
-- FIELDS capacity:int, arbitrates:bool, public:bool, enabled:bool, core:bool, gpu:bool, hot:bool, config:int, pools:list, has:list, definition, caps
-- CONST self_arbitrated_capacity
local function read_about(packed)
  local about = {}
  for i, name in ipairs(FIELDS) do
    local value = packed[i]
    if type(value) == 'boolean' then value = flag(value) end
    about[name] = value
  end
  if about.arbitrates == '1' then about.capacity = self_arbitrated_capacity end
  return about
end

-- The cell's configuration is newer than what the pools were computed with.
local function outdated(about)
  local version = tonumber(call('HGET', cell .. 'config', 'version') or 0)
  return version > about.config and { 'OUTDATED', tostring(version) } or nil
end
