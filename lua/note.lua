-- Records what a process has seen and could not use. It changes nothing.
-- KEYS cell
-- ARGV what, job, node, text
-- FLAGS allow-oom
-- RETURNS NOTED
-- @include clock
-- @include tell
-- STEP
emit('e', 'note', 'what', what, 'job', job, 'node', node, 'text', text)
return { 'NOTED' }
