-- Makes a connection the present one of its node, and the node a member of its pools. A connection
-- has a token: the present one is answered ALREADY, an earlier one STALE. A live connection with the
-- same credential is replaced (its process is told); with another one it wins, and so does one that
-- is away and has jobs. The node keeps what it still has; `held` says so after a loss of Redis, once a `mark`.
-- KEYS cell
-- SPEC node, conn, process, credential, address, draining:bool, about:list, running:list, held:list, sent:list, mark
-- RETURNS OK state more | ALREADY state more | STALE | OUTDATED version | SERVICES out | ID_CONFLICT
-- @include clock
-- @include judge
-- @include about
-- @include membership
-- @include fleet, swaps
-- @include claims, numbers
-- @include lease
-- @include offer
local id, about = node, read_about(about)
local known = load_about(id)
local too_old = outdated(about) or unaware(about, known)
if too_old then return too_old end
local past = words(known.past)
if set_of(past)[conn] then return { 'STALE' } end
local live = known.state ~= '' and known.state ~= 'offline'
local same = known.conn == conn
local present = live and same

local function refuse(what, kind)
  -- STEP
  emit('e', kind, 'what', what, 'node', id, 'text', address)
  return { 'ID_CONFLICT' }
end

local swaps = recent_swaps(known.swaps)
local kept = live or call('SCARD', cell .. 'node:' .. id .. ':jobs') > 0
if kept and known.credential ~= credential then return refuse('id_conflict', 'note') end
if live and not same then
  if fought_over(swaps) then return refuse('id_fought_over', 'alert') end
  swaps[#swaps + 1] = now .. '@' .. address
end
if known.conn ~= '' and not same then past[#past + 1] = known.conn end

local jobs, node = held_jobs(id), load_node(id) or new_node(id)
local plan = plan_membership(node, about.pools, about.has, about.definition, about.reasons)
local leave = present and known.leave or ''
if known.leave == '1' and not present then known.drain = '' end -- as it was asked to, it has left
about.drain = draining and known.drain == '' and 'kept' or known.drain
about.state, about.breaker, about.queue = known.state, known.breaker, present and known.queue or '0'
about.state = state_of(about)

-- STEP
if live and not same then
  post(known.process, 'kind', 'replaced', 'node', id, 'conn', known.conn)
end
if known.process ~= '' then call('SREM', cell .. 'process:' .. known.process .. ':nodes', id) end
bear_node(id, process)
keep_numbers(sent, id)
node.process, node.ear, node.conn, node.state, node.leave = process, process, conn, about.state, leave
node.breaker = known.breaker
-- A node without a socket owes an ack from its first job on: who asked for it may have been cut off.
if not same then node.acking = process == '' and '1' or '' end
apply_membership(node, plan, 'register')
node.beat, node.why = now, judge(about)
if not present then node.foreign = 0; keep_hashed(id) end
node.capacity = slots_of(about, node)
save_node(node)
save_about(id, about, 'process', process, 'ear', '', 'conn', conn,
  'past', table.concat(past, ' ', math.max(1, #past - 7)), 'credential', credential,
  'address', address, 'swaps', table.concat(swaps, ' '), 'state', about.state,
  'drain', about.drain, 'leave', leave, 'queue', about.queue, 'mark', mark, 'acking', node.acking)
if not same then call('HSET', cell .. 'node:' .. id, 'since', now) end
arm(id, about)
if not present or known.state ~= about.state then
  emit('e', 'node', 'node', id, 'moves', (known.state == '' and 'offline' or known.state) .. ' '
    .. about.state, 'why', 'register', 'process', process, 'address', address)
end
if not present or held and known.mark ~= mark then
  keep_or_lose(jobs, keeps_of(held, running), node)
  for _, pair in ipairs(held or {}) do claim(pair[1], pair[2], node) end
end
return { present and 'ALREADY' or 'OK', node.state, flag(offer(node)) }
