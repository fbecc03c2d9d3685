-- Gives free slots of a node to waiting jobs, at most 8 a call.
-- KEYS cell
-- ARGV id
-- FLAGS allow-oom
-- RETURNS OK state more | UNKNOWN
-- @include clock
-- @include offer
local node, state = load_node(id), call('HGET', cell .. 'node:' .. id, 'state')
if not node then return { 'UNKNOWN' } end
return { 'OK', state, flag(offer(node)) }
