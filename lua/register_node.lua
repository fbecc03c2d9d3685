-- Makes a connection the present one of its node, and the node a member of its pools. A connection
-- has a token: the present one is answered ALREADY, an earlier one STALE. A live connection with the
-- same credential is replaced (its process is told), with another one it wins. The node keeps the
-- jobs it still has; `held` says so after a loss of Redis, and then it speaks for all its jobs.
-- KEYS cell
-- SPEC node, conn, process, credential, address, draining:bool, about:list, running:list, held:list
-- CONST swap_window_ms, max_swaps
-- RETURNS OK state more | ALREADY state more | STALE | OUTDATED version | ID_CONFLICT
-- @include clock
-- @include judge
-- @include about
-- @include membership
-- @include claims
-- @include offer
local id, about = node, read_about(about)
local known = load_about(id)
local too_old = outdated(about)
if too_old then return too_old end
local earlier = set_of(words(known.past))
if earlier[conn] then return { 'STALE' } end
local live = known.state ~= '' and known.state ~= 'offline'
local present = live and known.conn == conn

-- Times and addresses of the last replacements of a live connection.
local function fought_over()
  local swaps, addresses, seen = {}, 0, {}
  for _, swap in ipairs(words(known.swaps)) do
    local at, from = string.match(swap, '^(%d+)@(.*)$')
    if now - tonumber(at) < swap_window_ms then
      swaps[#swaps + 1] = swap
      if not seen[from] then addresses, seen[from] = addresses + 1, true end
    end
  end
  known.swaps = table.concat(swaps, ' ')
  return #swaps >= max_swaps and addresses > 1
end

local function refuse(what, kind)
  -- STEP
  emit('e', kind, 'what', what, 'node', id, 'text', address)
  return { 'ID_CONFLICT' }
end

if live and not present then
  if known.credential ~= credential then return refuse('id_conflict', 'note') end
  if fought_over() then return refuse('id_fought_over', 'alert') end
end

local jobs = held_jobs(id)
local node = load_node(id) or { id = id, used = #jobs, foreign = 0, why = 1, pools = {}, has = '',
  listed = false }
nodes[id] = node
local plan = plan_membership(node, about.pools, about.has, about.definition)
about.drain = draining and (known.drain ~= '' and known.drain or 'kept') or known.drain
about.queue, about.hot = present and known.queue or '0', about.hot
about.state = known.state
about.state = state_of(about)

local function keep_running()
  local keeps
  if held then
    keeps = {}
    for _, pair in ipairs(held) do keeps[pair[1]] = true end
  elseif type(running) == 'table' then
    keeps = set_of(running)
  end
  keep_or_lose(jobs, keeps, node)
  for _, pair in ipairs(held or {}) do claim(pair[1], pair[2], node) end
end

-- STEP
if not present then
  if live then
    post(known.process, 'kind', 'replaced', 'node', id, 'conn', known.conn)
    known.swaps = known.swaps .. ' ' .. now .. '@' .. address
  end
  if known.process ~= '' then call('SREM', cell .. 'process:' .. known.process .. ':nodes', id) end
  local past = words(known.past .. ' ' .. known.conn)
  known.past = table.concat(past, ' ', math.max(1, #past - 7))
end
node.process, node.conn, node.state, node.leave = process, conn, about.state, ''
apply_membership(node, plan, 'register')
node.capacity, node.beat, node.why = about.capacity, now, judge(about)
save_node(node)
call('HSET', cell .. 'node:' .. id, 'process', process, 'conn', conn, 'past', known.past,
  'credential', credential, 'address', address, 'swaps', known.swaps, 'state', about.state,
  'drain', about.drain, 'leave', '', 'public', about.public, 'enabled', about.enabled,
  'core', about.core, 'gpu', about.gpu, 'hot', about.hot, 'queue', about.queue,
  'arbitrates', about.arbitrates, 'capacity', about.capacity, 'config', about.config,
  'pools', table.concat(about.pools, ' '), 'has', node.has, 'caps', about.caps)
if not present then call('HSET', cell .. 'node:' .. id, 'acking', '', 'since', now) end
call('SADD', cell .. 'process:' .. process .. ':nodes', id)
arm(id, about)
if not present or known.state ~= about.state then
  emit('e', 'node', 'node', id, 'moves', (known.state == '' and 'offline' or known.state) .. ' '
    .. about.state, 'why', 'register', 'process', process, 'address', address)
end
if not present or held then keep_running() end
local more = flag(offer(node))
return { present and 'ALREADY' or 'OK', node.state, more }
