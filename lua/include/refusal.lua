-- @include possible
-- @include room
-- @include breakdown
-- CONST retry_after_ms, max_wait_ms
-- Why a job finds no place, and when it is worth while to ask again. Reads only.

-- So long until a slot is free for it, by the pace of all its pools; 0: it never will be.
local function retry_after(code, need, queue)
  if code == 'NO_CAPABLE_NODE' then return 0 end
  local keys, rate = {}, 0
  for i, pool in ipairs(need.pools) do keys[i] = cell .. 'pace:' .. pool end
  for _, pace in ipairs(#keys > 0 and call('MGET', unpack(keys)) or {}) do
    local gap = pace and tonumber(string.match(pace, '^%S+')) or 0
    if gap > 0 then rate = rate + 1 / gap end
  end
  if rate == 0 then return retry_after_ms end
  return math.max(1, math.min(math.ceil((queue.count + 1) / rate), max_wait_ms))
end

-- Code, reason, counts of the nodes and retry_ms; nil for a job that may wait.
local function refusal_of(job, need, queue)
  local code, limit = nil, nil
  if not possible(job, need) then
    code = 'NO_CAPABLE_NODE'
  elseif job.wait == 0 then
    code = 'NO_AVAILABLE_NODE'
  else
    limit = crowded(queue, job)
    code = limit and 'NODE_OVERLOADED'
  end
  if not code then return nil end
  local counts, reason = breakdown(job, need)
  return { code = code, reason = limit or reason, counts = counts,
    retry_ms = retry_after(code, need, queue) }
end

-- The cell is at a limit of its own: nobody is looked at.
local function held_back(brake)
  return { code = 'NODE_OVERLOADED', reason = brake, counts = '{}', retry_ms = retry_after_ms }
end
