-- @include services
-- Makes what is derived of a node's services equal again to them: what is out, what its own failures
-- took out, and when each is back. Writes; returns how many entries were changed.
local function mend_services(node, known, services)
  local changes, out, lame = 0, {}, false
  for name, one in pairs(services) do
    local timer = 'node:' .. node.id .. ':service:' .. name
    changes = changes + call('ZADD', cell .. 'timers', 'GT', 'CH', one.due, timer)
    if one.phase == 'out' then
      out[#out + 1] = name
      lame = lame or one.pause > 0
    end
  end
  table.sort(out)
  local text = table.concat(out, ' ')
  if text ~= known then
    changes = changes + 1
    tell_services(node, text)
  end
  return changes + call(lame and 'SADD' or 'SREM', cell .. 'lame', node.id)
end
