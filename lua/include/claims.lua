-- @include job
-- @include slot
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

-- `keeps`: set of the ids it still works on; nil when it did not say.
local function keep_or_lose(jobs, keeps, node)
  for _, job in ipairs(jobs) do
    -- STEP
    if job.state == 'RESERVED' then
      set_job(job, 'lost', '')
      set_timer(job, job.due)
      post(node.process, 'kind', 'assign', 'job', job.id, 'attempt', job.attempt,
        'node', node.id, 'conn', node.conn)
    elseif keeps and not keeps[job.id] then
      make_due(job, 'WS_DISCONNECTED')
    elseif job.lost ~= '' then
      set_job(job, 'lost', '')
      set_timer(job, job.due)
    end
  end
end

-- A node says it was sent (job, attempt), after Redis lost or aged: the higher attempt wins.
local function claim(id, attempt, node)
  local job = load_job(id)
  if job and (is_final(job.state) or job.attempt > attempt) then
    -- STEP
    if job.node ~= node.id or job.slot ~= '1' then
      post(node.process, 'kind', 'cancel', 'job', id, 'node', node.id, 'conn', node.conn,
        'code', 'STATE_LOST')
    end
    return
  end
  if job and job.node == node.id and job.slot == '1' and job.state ~= 'RESERVED' then return end
  local other = job and job.slot == '1' and job.node ~= node.id and load_node(job.node)
  local need = job and job.state == 'WAITING' and job.claim ~= '1' and read_need(job.need)
  local queue = need and read_queue(job.sig)
  local from = job and job.state or 'NEW SELECTING'
  if other then from = from .. ' RETRYING' end
  -- STEP
  if queue then leave_queue(queue, job, need) end
  if other then free_slot(job, other) end
  local stub = job and job.stub or '1'
  job = job or { id = id, session = '', request = '' }
  if call('SADD', cell .. 'node:' .. node.id .. ':jobs', id) == 1 then node.used = node.used + 1 end
  save_node(node)
  local due = now + job_timeout_ms
  set_job(job, 'state', 'DISPATCHED', 'attempt', attempt, 'node', node.id, 'slot', '1',
    'conn', node.conn, 'taken', now, 'due', due, 'stub', stub, 'claim', '', 'lost', '')
  set_timer(job, due)
  emit('e', 'job', 'job', id, 'moves', from .. ' DISPATCHED', 'attempt', attempt, 'node', node.id,
    'code', 'STATE_LOST')
end
