-- @include tell_all
-- CONST queue_jobs
-- How long a queue is, in words: SLOW_DOWN, BUSY from half of its limit, PAUSE from four fifths. Every
-- process is told when it comes to such a mark, and when it has fallen a quarter below one: it
-- passes each length, so nothing has to be remembered.
local function floor(number) return number - number % 1 end -- there is no `math` while Redis loads it
local BUSY_AT, PAUSE_AT = floor((queue_jobs + 1) / 2), floor((queue_jobs * 4 + 4) / 5)
local RISING = { [BUSY_AT] = true, [PAUSE_AT] = true }
local FALLING = { [floor(BUSY_AT * 3 / 4)] = true, [floor(PAUSE_AT * 3 / 4)] = true }

local function level_of(count)
  return count >= PAUSE_AT and 'PAUSE' or count >= BUSY_AT and 'BUSY' or 'SLOW_DOWN'
end

local function is_near_mark(count) return RISING[count + 1] or FALLING[count - 1] end

local function tell_change(queue, count)
  local marks = count > queue.count and RISING or FALLING
  if marks[count] and queue.told then
    post_all(queue.told, 'kind', 'pressure', 'sig', queue.sig, 'level', level_of(count))
  end
  queue.count = count
end
