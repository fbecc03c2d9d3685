-- Ends a session and cancels its live jobs, unless another process has taken it over.
-- KEYS cell
-- ARGV id, process
-- FLAGS allow-oom
-- RETURNS CLOSED cancelled more
-- @include clock
-- @include session
local owner = call('HGET', cell .. 'session:' .. id, 'process')
if owner ~= process then return { 'CLOSED', '0', '0' } end
local cancelled, more = close_session(id, process)
return { 'CLOSED', tostring(cancelled), flag(more) }
