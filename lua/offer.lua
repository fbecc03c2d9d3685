-- Gives free slots of a node to waiting jobs, at most 8 a call.
-- KEYS cell
-- ARGV id
-- FLAGS allow-oom
-- RETURNS OK state more | UNKNOWN
-- @include clock
-- @include offer
local node = load_node(id)
if not node then return { 'UNKNOWN' } end
return { 'OK', node.state, flag(offer(node)) }
