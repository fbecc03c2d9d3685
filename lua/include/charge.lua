-- @include breaker
-- CONST charge_ms, probe_ms, longest_probe_ms
-- The end of a job that failed somewhere: its node is charged if it is the only one, and once a
-- session and minute. So neither a poisonous job nor a sick client opens a breaker.

-- At most half of the members of any of its pools are out at once.
local function may_open(node)
  for _, pool in ipairs(words(node.pools)) do
    local key = cell .. 'pool:' .. pool
    local out = call('SINTERCARD', 2, key, cell .. 'broken')
      + call('SINTERCARD', 2, key, cell .. 'lame')
    if 2 * (out + 1) > call('SCARD', key) then return false end
  end
  return true
end

-- For how long it opens now; nil: not.
local function pause_of(node, marks, job, pause, before)
  local again = node.breaker == 'half_open'
  local due = is_enough(marks)
  if again then due = not set_of(words(before))[job.id] end
  if node.breaker == 'open' or not due or not may_open(node) then return nil end
  return again and math.min(2 * tonumber(pause), longest_probe_ms) or probe_ms
end

local function charge_node(node, about, code, job, source)
  local id = node.id
  local text, pause, before = unpack(call('HMGET', cell .. 'node:' .. id, 'marks', 'pause', 'before'))
  local marks = marked(text, source)
  local opens = pause_of(node, marks, job, pause, before)
  local held = opens and call('SMEMBERS', cell .. 'node:' .. id .. ':jobs')
  -- STEP
  if opens then
    call('HSET', cell .. 'node:' .. id, 'breaker', 'open', 'marks', '', 'pause', opens,
      'opened', now, 'before', table.concat(held, ' '), 'blamed', code)
    call('SADD', cell .. 'broken', id)
    node_timer(id, 'probe', now + opens)
    set_breaker(node, about, 'open')
    emit('e', 'alert', 'what', 'breaker_open', 'node', id, 'job', job.id, 'text', code)
  elseif node.breaker == '' or node.breaker == 'marked' then
    call('HSET', cell .. 'node:' .. id, 'breaker', 'marked', 'marks', table.concat(marks, ' '),
      'blamed', code)
    node.breaker = 'marked'
    save_node(node)
  end
end

-- `failures`: NODE=SERVICE=CODE of each that may be somebody's fault.
local function charge(job, failures)
  local failed, key = words(failures), cell .. 'session:' .. job.session
  if #failed ~= 1 then return end
  local id, service, code = string.match(failed[1], '^([^=]*)=([^=]*)=(.*)$')
  local node = load_node(id)
  local last, live = unpack(call('HMGET', key, 'charged', 'process'))
  if not node or now - tonumber(last or -charge_ms) < charge_ms then return end
  local source = job.session ~= '' and job.session or job.id
  if live then
    -- STEP
    call('HSET', key, 'charged', now)
  end
  if service ~= '' then
    -- @include charge_service
    return charge_service(node, service, code, job, source, may_open)
  end
  charge_node(node, load_about(id), code, job, source)
end
