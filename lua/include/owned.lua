-- @include text
-- Whether the owner of an entry of an index, or of a timer, knows of it.
local FIELD = { pool = 'pools', ready = 'pools', idle = 'pools', has = 'has' }

local function hash_of(owner, id) return table.concat({ cell, owner, ':', id }) end

local function field_of(owner, id, name) return call('HGET', hash_of(owner, id), name) end

local function has_timer(member)
  local owner, id, rest = string.match(member, '^(%a+):([^:]*):?(.*)$')
  local service = string.match(rest or '', '^service:(.*)$')
  if service then
    local text = field_of('node', id, 'services')
    return text and cjson.decode(text)[service]
  end
  local lives = owner == 'job' or owner == 'node' or owner == 'session'
  return not lives or call('EXISTS', hash_of(owner, id)) == 1
end

-- Of the key `kind` or `kind:name`.
local function is_owned(kind, name, member)
  if member == '' then
    return false
  elseif FIELD[kind] then
    return set_of(words(field_of('node', member, FIELD[kind])))[name]
  elseif kind == 'timers' then
    return has_timer(member)
  end
  local process, owner = string.match(name, '^([^:]*):(%a+)s$')
  return kind == 'process' and owner and field_of(owner, member, 'process') == process
end
