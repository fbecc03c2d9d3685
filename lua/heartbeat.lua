-- Keeps a node alive, judges it anew, and moves its memberships if they changed. An unchanged one
-- writes neither membership nor event. Also finds jobs that the node will never answer: two
-- heartbeats at least 10 s apart, these and all between without any work.
-- KEYS cell
-- SPEC node, conn, running:int, queue:int, hot:bool, about:list, metrics
-- FLAGS allow-oom
-- RETURNS OK state more | STALE | OUTDATED version | SERVICES out | UNKNOWN
-- @include clock
-- @include judge
-- @include about
-- @include membership
-- @include timers
-- @include quiet
-- @include offer
local id, known = node, load_about(node)
local node = load_node(id)
if not node or known.state == 'offline' or known.state == '' then return { 'UNKNOWN' } end
if known.conn ~= conn then return { 'STALE' } end
local about = type(about) == 'table' and read_about(about) or nil
local too_old = about and (outdated(about) or unaware(about, known))
if too_old then return too_old end
local plan = about and plan_membership(node, about.pools, about.has, about.definition, about.reasons)
local jobs = quiet_candidates(id)

local now_known = about or known
now_known.drain, now_known.queue, now_known.hot = known.drain, tostring(queue), flag(hot)
now_known.state, now_known.breaker = known.state, known.breaker
local from = known.state
now_known.state = state_of(now_known)

-- STEP
if plan then
  apply_membership(node, plan, 'heartbeat')
  save_about(id, about)
end
node.beat, node.foreign = now, math.min(math.max(0, running - node.used), MOST_SLOTS)
node.why, node.state = judge(now_known), now_known.state
node.capacity = slots_of(now_known, node)
save_node(node)
call('HSET', cell .. 'node:' .. id, 'state', node.state, 'hot', now_known.hot, 'queue', queue,
  'metrics', metrics)
if from ~= node.state then enter_state(node, from, 'heartbeat') end
watch_quiet(jobs, running + queue == 0, node)
return { 'OK', node.state, flag(offer(node)) }
