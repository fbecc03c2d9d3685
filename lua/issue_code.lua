-- Makes a code by which one session is paired with a node. One that is known, used or not, is not
-- given out again before it is forgotten; `mark` tells the same request made once more.
-- KEYS cell
-- ARGV code, node, mark
-- CONST pairing_code_ms, known_code_ms
-- FLAGS allow-oom
-- RETURNS ISSUED until_ms | IN_USE | UNKNOWN
-- @include clock
-- @include tell
local key = cell .. 'pairing:' .. code
local its_mark, its_end = unpack(call('HMGET', key, 'mark', 'until'))
if its_mark == mark then return { 'ISSUED', its_end } end
if its_mark then return { 'IN_USE' } end
if call('HEXISTS', cell .. 'fleet', node) == 0 then return { 'UNKNOWN' } end
local until_ms = string.format('%.0f', now + pairing_code_ms)

-- STEP
call('HSET', key, 'node', node, 'mark', mark, 'until', until_ms, 'user', '')
call('PEXPIRE', key, math.max(pairing_code_ms, known_code_ms))
emit('e', 'note', 'what', 'pairing_code', 'node', node)
return { 'ISSUED', until_ms }
