-- Which of some nodes are in a pool, or offer what a requirement asks for.
local function keep_members(ids, key)
  if #ids == 0 then return ids end
  local kept, marks = {}, call('SMISMEMBER', key, unpack(ids))
  for i, id in ipairs(ids) do
    if marks[i] == 1 then kept[#kept + 1] = id end
  end
  return kept
end

local function keep_offering(ids, need)
  for _, value in ipairs(need.has) do ids = keep_members(ids, cell .. 'has:' .. value) end
  return ids
end
