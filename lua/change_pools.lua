-- Brings a node to a new configuration, writing only differences. Refused when the pools were
-- computed with an older configuration than the cell has.
-- KEYS cell
-- ARGV id
-- SPEC capacity:int, arbitrates:bool, public:bool, enabled:bool, core:bool, gpu:bool, hot:bool, config:int, pools:list, has:list, out:list, definition, reasons, caps
-- RETURNS MOVED joined left more | OUTDATED version | SERVICES out | UNKNOWN
-- @include clock
-- @include judge
-- @include about
-- @include membership
-- @include timers
-- @include offer
local about = read_about({ capacity, arbitrates, public, enabled, core, gpu, hot, config, pools, has,
  out, definition, reasons, caps })
local known, node = load_about(id), load_node(id)
if not node then return { 'UNKNOWN' } end
local too_old = outdated(about) or unaware(about, known)
if too_old then return too_old end
local plan = plan_membership(node, about.pools, about.has, about.definition, about.reasons)
local from = known.state
about.state, about.drain, about.queue = from, known.drain, known.queue
about.breaker = known.breaker
if from ~= 'offline' then about.state = state_of(about) end

-- STEP
apply_membership(node, plan, 'configuration')
node.capacity, node.why, node.state = slots_of(about, node), judge(about), about.state
save_node(node)
save_about(id, about, 'state', node.state)
if from ~= node.state then enter_state(node, from, 'configuration') end
return { 'MOVED', tostring(#plan.joined), tostring(#plan.left), flag(offer(node)) }
