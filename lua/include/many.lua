-- @include tell
-- @include budget
-- A call that does the work of many tells and counts at its end what it has for one place.
local function begin_many()
  mail, counted = {}, { ended = {}, retried = {} }
end

local function end_many()
  -- STEP
  for process, letters in pairs(mail) do drop_off_all(process, letters) end
  for field, keys in pairs(counted) do
    for key, count in pairs(keys) do add_to_budget(key, field, count) end
  end
end
