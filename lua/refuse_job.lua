-- NEW → FAILED: an utterance that its session's process makes no job of, or does not know whether it
-- has become one; or a request by REST that no node serves. So it is in the history, and an utterance
-- is answered wherever its client returns to. A job that is known already stays what it is.
-- KEYS cell
-- ARGV process
-- SPEC job, session, index:int, tenant, src, tgt, trace, code, message, reason, counts, field, expected
-- FLAGS allow-oom
-- RETURNS RECORDED | KNOWN state | NO_SESSION
-- @include clock
-- @include job
-- @include newest
-- @include settle
local known = call('HGET', cell .. 'job:' .. job, 'state')
if known then return { 'KNOWN', known } end
local newest = session == '' or newest_with(index, session)
if not newest then return { 'NO_SESSION' } end
local refused = { id = job, session = session, request = '', node = '', slot = '', attempt = 0,
  payload = 0 }
local owner = index >= 0 and owner_of(refused)

-- STEP
if session ~= '' then call('HSET', cell .. 'session:' .. session, 'newest', newest) end
settle(refused, 'FAILED', owner, { code = code, message = message, details = counts,
  asker = process }, 'session', session, 'index', index, 'tenant', tenant, 'src', src, 'tgt', tgt,
  'trace', trace, 'born', now, 'reason', reason, 'breakdown', counts, 'field', field,
  'expected', expected)
emit('e', 'job', 'job', job, 'moves', 'NEW SELECTING FAILED', 'code', code, 'reason', reason,
  'breakdown', counts, 'session', session, 'index', index, 'tenant', tenant, 'src', src,
  'tgt', tgt, 'trace', trace)
return { 'RECORDED' }
