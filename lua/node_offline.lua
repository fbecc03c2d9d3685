-- The node's socket is gone: it leaves the ready sets at once; its jobs wait for the grace.
-- KEYS cell
-- ARGV id, conn
-- FLAGS allow-oom
-- RETURNS OK state more | STALE
-- @include clock
-- @include take_down
local about, node = load_about(id), load_node(id)
if not node or about.conn ~= conn then return { 'STALE' } end
if about.state ~= 'offline' then take_down(node, about, 'closed') end
return { 'OK', 'offline', '0' }
