-- @include job
-- @include free
-- @include settle
-- The parts of a turn, which is what somebody says without a pause. The field `turn` of the last one
-- ends with a dot.
local function without_dot(turn) return (string.gsub(turn, '%.$', '')) end

-- The other live parts of the turn of a live job, or of one that has just ended: those before it, or
-- after it.
local function parts(job, turn, after)
  local flat, found = call('HGETALL', cell .. 'session:' .. job.session), {}
  for i = 1, #flat, 2 do
    local id = string.match(flat[i], '^job:(.+)$')
    local follows = id and id ~= job.id and (tonumber(flat[i + 1]) > job.index) == after
    local part = follows and load_job(id)
    if part and without_dot(part.turn) == turn then found[#found + 1] = part end
  end
  return found
end

local function is_continued(job)
  return job.turn ~= '' and #parts(job, without_dot(job.turn), true) > 0
end

-- The last part is done, and in it is the speech of those that its node holds still: so they are done
-- too, without text.
local function end_turn(job, holder)
  if string.sub(job.turn, -1) ~= '.' then return end
  for _, part in ipairs(parts(job, without_dot(job.turn), false)) do
    local owner, from = owner_of(part), part.state
    if part.node == job.node and (from == 'DISPATCHED' or from == 'ACKED') then
      -- STEP
      call_off(part, holder, 'TURN_DONE')
      free_slot(part, holder)
      settle(part, 'DONE', owner, { answered = true })
      emit_end(part, from .. ' DONE', '')
    end
  end
end
