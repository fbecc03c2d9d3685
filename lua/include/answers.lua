-- @include job
-- @include node
-- @include replies
-- What a job or request that is known already is answered.

-- The same as `take` would say, to a process that may not have had the reply.
local function is_here(known)
  local node = known.state == 'DISPATCHED' and process ~= '' and load_node(known.node)
  return node and node.process == process
end

-- Asked again with the same job id (a lost reply): the same answer as before.
local function answer_of(known)
  if known.state == 'RESERVED' then
    return reserved(known)
  elseif is_here(known) then
    return begun(known)
  elseif known.state == 'WAITING' then
    -- @include crowd
    return { 'WAITING', known.id, level_of(call('ZCARD', cell .. 'waiting:' .. sig)) }
  end
  if known.state == 'FAILED' and known.retry_ms then
    return { 'REFUSED', known.id, known.code, known.reason, known.breakdown, known.retry_ms }
  end
  return { 'REPEAT', known.id, known.state, tostring(known.attempt), known.node }
end

-- nil for a job that is really new.
local function known_answer()
  local earlier = request ~= '' and call('GET', cell .. 'request:' .. request)
  local known = earlier and earlier ~= job and load_job(earlier)
  if known then
    if known.digest ~= digest then return { 'CONFLICT', earlier } end
    return { 'REPEAT', earlier, known.state, tostring(known.attempt), known.node }
  end
  local same = load_job(job)
  if same then return answer_of(same) end
end
