-- Lists are kept in hash fields as words separated by spaces.
local function words(text)
  local list = {}
  if not text or text == '' then return list end
  for word in string.gmatch(text, '%S+') do list[#list + 1] = word end
  return list
end

local function set_of(list)
  local set = {}
  for _, word in ipairs(list) do set[word] = true end
  return set
end

local function flag(value) return value and '1' or '0' end

-- A list of words with one more, unless it has that already.
local function with(list, word)
  return set_of(words(list))[word] and list or list .. ' ' .. word
end
