-- @include rank
-- What seldom has to be said in a receipt.
local function particulars(passed)
  local text = ''
  for _, name in ipairs({ 'lacking', 'excluded', 'stale', 'busy', 'searched' }) do
    if looked[name] > 0 then text = text .. ' ' .. name .. '=' .. looked[name] end
  end
  if looked.preferred then text = text .. ' preferred=' .. looked.preferred end
  return passed ~= '' and text .. ' passed=' .. string.gsub(passed, ' ', ',') or text
end
