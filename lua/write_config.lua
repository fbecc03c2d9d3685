-- Publishes the configuration to a cell and tells every process. An older copy changes nothing.
-- KEYS cell
-- ARGV version:int, content
-- FLAGS allow-oom
-- RETURNS TAUGHT | CONFIG version
-- @include clock
-- @include tell_all
local present = tonumber(call('HGET', cell .. 'config', 'version') or 0)
if present >= version then return { 'CONFIG', tostring(present) } end
local processes = call('SMEMBERS', cell .. 'processes')

-- STEP
call('HSET', cell .. 'config', 'version', version, 'content', content)
post_all(processes, 'kind', 'config', 'version', version)
return { 'TAUGHT' }
