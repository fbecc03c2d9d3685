-- Where `dispatch` would send a job now, and what each node that was looked at is worth for it: at
-- most `most` of each pool. Writes nothing. `code` and `reason` of a job that would be refused.
-- KEYS cell
-- ARGV most:int, passed
-- SPEC session, need, sig, preferred, avoid:list, deadline_ms:int
-- CONST wait_limit_ms, max_wait_ms
-- FLAGS no-writes, allow-oom
-- RETURNS SIMULATED state node pool code reason breakdown ahead receipt candidates
-- @include clock
-- @include choose
-- @include receipt
-- @include refusal
-- @include queue
-- @include hand
-- @include worth
local wait = deadline_ms < 0 and wait_limit_ms or math.min(deadline_ms, max_wait_ms)
local job = { id = '', state = 'NEW', session = session, had = '', avoid = table.concat(avoid, ' '),
  preferred = preferred, wait = wait }
local wanted = read_need(need)
local queue = read_queue(sig)
local brake = call('GET', cell .. 'brake')
local node = nil
if not brake then node = choose(job, wanted) end
local found = brake and '' or receipt(wanted, passed)
local candidates = worth_of(job, wanted, most, node)
if node and queue.count > 0 and first_in(sig, node) then node = nil end

local why = not node and (brake and held_back(brake) or refusal_of(job, wanted, queue)) or nil
local state = node and 'RESERVED' or why and 'FAILED' or 'WAITING'
why = why or { code = '', reason = '', counts = '{}' }
return { 'SIMULATED', state, node and node.id or '', node and pool_of(node, wanted) or '', why.code,
  why.reason, why.counts, tostring(queue.count), found, candidates }
