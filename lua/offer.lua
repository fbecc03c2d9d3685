-- Gives free slots of a node to waiting jobs, at most 8 a call.
-- KEYS cell
-- ARGV id
-- FLAGS allow-oom
-- RETURNS OK state more | UNKNOWN
-- @include clock
-- @include offer
local node = load_node(id)
if not node then return { 'UNKNOWN' } end
local state = call('HGET', cell .. 'node:' .. id, 'state')
return { 'OK', state or '', flag(offer(node)) }
