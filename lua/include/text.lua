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

-- What is made of a text is kept over calls, as those of pools and requirements are few and come again.
-- Nobody may change it.
local MOST_TEXTS = 1000

local function remembered(make)
  local known, count = {}, 0
  return function(text)
    if not known[text] then
      if count == MOST_TEXTS then known, count = {}, 0 end
      known[text], count = make(text), count + 1
    end
    return known[text]
  end
end

local words_of = remembered(words)

local function flag(value) return value and '1' or '0' end

-- A list of words with one more, unless it has that already.
local function with(list, word)
  return set_of(words(list))[word] and list or list .. ' ' .. word
end
