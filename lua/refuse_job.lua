-- NEW → FAILED: an utterance that its session's process makes no job of, or does not know whether it
-- has become one. So it is in the history, and is answered wherever its client returns to. A job that
-- is known already stays what it is.
-- KEYS cell
-- ARGV process
-- SPEC job, session, index:int, tenant, trace, code, message, reason, field, expected
-- FLAGS allow-oom
-- RETURNS RECORDED | KNOWN state | NO_SESSION
-- @include clock
-- @include job
-- @include newest
-- @include settle
local known = call('HGET', cell .. 'job:' .. job, 'state')
if known then return { 'KNOWN', known } end
local newest = newest_with(index, session)
if not newest then return { 'NO_SESSION' } end
local refused = { id = job, session = session, request = '', node = '', slot = '', attempt = 0,
  payload = 0 }
local owner = owner_of(refused)

-- STEP
call('HSET', cell .. 'session:' .. session, 'newest', newest)
settle(refused, 'FAILED', owner, { code = code, message = message, asker = process },
  'session', session, 'index', index, 'tenant', tenant, 'trace', trace, 'born', now,
  'reason', reason, 'field', field, 'expected', expected)
emit('e', 'job', 'job', job, 'moves', 'NEW SELECTING FAILED', 'code', code, 'reason', reason,
  'session', session, 'index', index, 'tenant', tenant, 'trace', trace)
return { 'RECORDED' }
