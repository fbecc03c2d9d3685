-- @include judge
-- @include timers
-- The breaker of a node: '' (closed), marked (closed, with a failure among its last 5 jobs), open, or
-- half_open: one slot. `marks` of those jobs, oldest first: a dot for one that was done, else whose
-- failure it was.
local MARKS = 5
local FAILURES, SOURCES = 3, 2 -- among them, of so many sessions

local function marked(text, mark)
  local marks = words(text)
  marks[#marks + 1] = mark
  while #marks > MARKS or marks[1] == '.' do table.remove(marks, 1) end
  return marks
end

local function is_enough(marks)
  local failures, sources, seen = 0, 0, { ['.'] = true }
  for _, mark in ipairs(marks) do
    if mark ~= '.' then failures = failures + 1 end
    if not seen[mark] then sources, seen[mark] = sources + 1, true end
  end
  return failures >= FAILURES and sources >= SOURCES
end

-- The node's record follows; `about` is loaded from its hash.
local function set_breaker(node, about, state)
  about.breaker, node.breaker = state, state
  if node.why ~= 1 then node.why = judge(about) end
  node.capacity = slots_of(about, node)
  save_node(node)
end

-- Without a trace.
local function close_breaker(node, about)
  call('HDEL', cell .. 'node:' .. node.id, 'breaker', 'marks', 'opened', 'pause', 'before', 'blamed')
  call('SREM', cell .. 'broken', node.id)
  node_timer(node.id, 'probe', nil)
  set_breaker(node, about, '')
end
