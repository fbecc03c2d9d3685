-- @include breaker
-- CONST charge_ms, probe_ms, longest_probe_ms
-- The end of a job that failed somewhere: its node is charged if it is the only one, and once a
-- session and minute. So neither a poisonous job nor a sick client opens a breaker.
local FAILURES, SOURCES = 3, 2 -- among the last 5 jobs, of so many sessions

-- At most half of the members of any of its pools are out at once.
local function may_open(node)
  for _, pool in ipairs(words(node.pools)) do
    local key = cell .. 'pool:' .. pool
    local out = call('SINTERCARD', 2, key, cell .. 'broken')
    if 2 * (out + 1) > call('SCARD', key) then return false end
  end
  return true
end

local function is_enough(marks)
  local failures, sources, seen = 0, 0, { ['.'] = true }
  for _, mark in ipairs(marks) do
    if mark ~= '.' then failures = failures + 1 end
    if not seen[mark] then sources, seen[mark] = sources + 1, true end
  end
  return failures >= FAILURES and sources >= SOURCES
end

-- For how long it opens now; nil: not.
local function pause_of(node, marks, job, pause, before)
  local again = node.breaker == 'half_open'
  local due = is_enough(marks)
  if again then due = not set_of(words(before))[job.id] end
  if node.breaker == 'open' or not due or not may_open(node) then return nil end
  return again and math.min(2 * tonumber(pause), longest_probe_ms) or probe_ms
end

local function charge(job)
  local failed, key = words(job.failed), cell .. 'session:' .. job.session
  if #failed ~= 1 then return end
  local id, code = string.match(failed[1], '^([^=]*)=(.*)$')
  local node, about = load_node(id), load_about(id)
  local last, live = unpack(call('HMGET', key, 'charged', 'process'))
  if not node or now - tonumber(last or -charge_ms) < charge_ms then return end
  local text, pause, before = unpack(call('HMGET', cell .. 'node:' .. id, 'marks', 'pause', 'before'))
  local marks = marked(text, job.session ~= '' and job.session or job.id)
  local opens = pause_of(node, marks, job, pause, before)
  local held = opens and call('SMEMBERS', cell .. 'node:' .. id .. ':jobs')
  -- STEP
  if live then call('HSET', key, 'charged', now) end
  if opens then
    call('HSET', cell .. 'node:' .. id, 'breaker', 'open', 'marks', '', 'pause', opens,
      'opened', now, 'before', table.concat(held, ' '), 'blamed', code)
    call('SADD', cell .. 'broken', id)
    node_timer(id, 'probe', now + opens)
    turn(node, about, 'open')
    emit('e', 'alert', 'what', 'breaker_open', 'node', id, 'job', job.id, 'text', code)
  elseif node.breaker == '' or node.breaker == 'marked' then
    call('HSET', cell .. 'node:' .. id, 'breaker', 'marked', 'marks', table.concat(marks, ' '),
      'blamed', code)
    node.breaker = 'marked'
  end
end
