-- @include breaker
-- A job of this node was done while its breaker had something to remember. What was placed before
-- the opening proves nothing.
local function trust(node, job)
  local about = load_about(node.id)
  local marks, before = unpack(call('HMGET', cell .. 'node:' .. node.id, 'marks', 'before'))
  local proof = node.breaker == 'half_open' and not set_of(words(before))[job.id]
  local left = node.breaker == 'marked' and marked(marks, '.')
  -- STEP
  if proof then
    close_breaker(node, about)
    emit('e', 'note', 'what', 'breaker_closed', 'node', node.id, 'job', job.id)
  elseif left and #left == 0 then
    close_breaker(node, about)
  elseif left then
    call('HSET', cell .. 'node:' .. node.id, 'marks', table.concat(left, ' '))
  end
end
