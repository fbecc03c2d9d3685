-- Gives nodes so many jobs that are not the bench's, with all that is kept of them for selection:
-- the set of jobs, the counter in the record, the ready sets, and for the plain way its slots.
-- KEYS cell
-- ARGV packed
-- RETURNS OK
-- @include clock
-- @include node
local SLOT_MS = 3600000
for _, pair in ipairs(cmsgpack.unpack(packed)) do
  local node, used = load_node(pair[1]), pair[2]
  local jobs, slots = cell .. 'node:' .. node.id .. ':jobs', cell .. 'node:' .. node.id .. ':slots'
  for i = node.used + 1, used do
    call('SADD', jobs, 'other-' .. i)
    call('ZADD', slots, now + SLOT_MS, 'other-' .. i)
  end
  node.used = used
  save_node(node)
end
return { 'OK' }
