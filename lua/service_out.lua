-- A node says that it lacks what one of its services needs: the service is out for a while, for jobs
-- that need it, and then back by itself.
-- KEYS cell
-- ARGV id, service, code, out_ms:int
-- FLAGS allow-oom
-- RETURNS OUT | UNKNOWN
-- @include clock
-- @include services
local node = load_node(id)
if not node then return { 'UNKNOWN' } end
local services = read_services(id)
local known = services[service]
local due = now + out_ms
local is_out = known and known.phase == 'out'

-- STEP
if not is_out or known.due < due then
  services[service] = { phase = 'out', code = code, pause = 0, due = due, marks = '', before = '' }
  save_services(node, services, service, due)
end
if not is_out then
  emit('e', 'note', 'what', 'service_out', 'node', id, 'text', service .. ' ' .. code)
end
return { 'OUT' }
