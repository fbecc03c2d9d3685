-- @include job
-- @include slot
-- @include free
-- @include timers
-- @include queue
-- After a reconnect: which of a node's jobs it still has.
-- CONST job_timeout_ms

-- Jobs the node holds by our books, loaded before anything is written.
local function held_jobs(id)
  local jobs = {}
  for _, job in ipairs(call('SMEMBERS', cell .. 'node:' .. id .. ':jobs')) do
    jobs[#jobs + 1] = load_job(job)
  end
  return jobs
end

-- What a node says of its jobs: HELD by a replay, else `running`; nil when it says nothing. In a
-- replay `running` are jobs whose `take` is under way: their reservations stay what they are.
local HELD = 2

local function keeps_of(held, running)
  local keeps = type(running) == 'table' and set_of(running) or held and {} or nil
  for _, pair in ipairs(held or {}) do keeps[pair[1]] = HELD end
  return keeps
end

-- A reservation is told again, to the new connection; one that is held will be claimed below.
local function keep_or_lose(jobs, keeps, node)
  for _, job in ipairs(jobs) do
    local keep = not keeps or keeps[job.id]
    -- STEP
    if job.state ~= 'RESERVED' and not keep then
      make_due(job, 'WS_DISCONNECTED')
    elseif job.lost ~= '' then
      set_job(job, 'lost', '')
      set_timer(job, job.due)
    end
    if job.state == 'RESERVED' and keep ~= HELD then
      post(node.ear, 'kind', 'assign', 'job', job.id, 'attempt', job.attempt,
        'node', node.id, 'conn', node.conn)
    end
  end
end

-- A node says it was sent (job, attempt), after Redis lost or aged: the higher attempt wins.
local function claim(id, attempt, node)
  local job = load_job(id)
  local here = job and job.node == node.id and job.slot == '1'
  if here and (job.state ~= 'RESERVED' or job.attempt > attempt) then return end
  if job and (is_final(job.state) or job.attempt > attempt) then
    -- STEP
    post(node.ear, 'kind', 'cancel', 'job', id, 'node', node.id, 'conn', node.conn,
      'code', 'STATE_LOST')
    return
  end
  local other = job and job.slot == '1' and not here and load_node(job.node)
  local need = job and job.state == 'WAITING' and job.claim ~= '1' and read_need(job.need)
  local queue = need and read_queue(job.sig)
  local from = job and job.state or 'NEW SELECTING'
  -- STEP
  if queue then leave_queue(queue, job, need) end
  if other then
    from = from .. ' RETRYING'
    if job.state ~= 'RESERVED' then job.had = with(job.had, job.node) end
    call_off(job, other, 'STATE_LOST')
    free_slot(job, other)
  end
  job = job or { id = id, stub = '1', had = '' }
  if call('SADD', cell .. 'node:' .. node.id .. ':jobs', id) == 1 then node.used = node.used + 1 end
  save_node(node)
  local due = now + job_timeout_ms
  set_job(job, 'state', 'DISPATCHED', 'attempt', attempt, 'node', node.id, 'slot', '1',
    'conn', node.conn, 'taken', now, 'due', due, 'stub', job.stub, 'had', job.had, 'claim', '',
    'lost', '', 'quiet', 0, 'uidx', 0)
  set_timer(job, due)
  emit('e', 'job', 'job', id, 'moves', from .. ' DISPATCHED', 'attempt', attempt, 'node', node.id,
    'code', 'STATE_LOST')
end
