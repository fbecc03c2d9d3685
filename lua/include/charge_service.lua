-- @include breaker
-- @include services
-- CONST probe_ms, longest_probe_ms
-- A failure that names a service is charged to that alone.
local function charge_service(node, name, code, job, source, may)
  local services = read_services(node.id)
  local one = services[name] or { phase = 'watched', pause = 0, marks = '', before = '' }
  local marks = marked(one.marks, source)
  local again = one.phase == 'trial' and not set_of(words(one.before))[job.id]
  local opens = (again or one.phase == 'watched' and is_enough(marks)) and may(node)
  local held = opens and call('SMEMBERS', cell .. 'node:' .. node.id .. ':jobs')
  if one.phase == 'out' or one.phase == 'trial' and not again then return end
  one.marks, one.code = table.concat(marks, ' '), code
  one.due = math.max(one.due or 0, now + longest_probe_ms)
  if opens then
    one.pause = again and math.min(2 * one.pause, longest_probe_ms) or probe_ms
    one.phase, one.marks, one.before = 'out', '', table.concat(held, ' ')
    one.due = now + one.pause
  end
  services[name] = one
  -- STEP
  save_services(node, services, name, one.due)
  if opens then
    emit('e', 'alert', 'what', 'service_out', 'node', node.id, 'job', job.id,
      'text', name .. ' ' .. code)
  end
end
