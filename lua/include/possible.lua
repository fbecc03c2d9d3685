-- @include node
-- @include offers
-- @include offering
-- Could any public member, ready or not, ever serve it, leaving out those that had it?
local PUBLIC = 'access:public'

local function possible(job, need)
  local had = words(job.had)
  if need.pin ~= '' then
    local node = load_node(need.pin)
    return node ~= nil and offers(node, need) and not set_of(had)[need.pin]
  end
  for _, pool in ipairs(need.pools) do
    local public = cell .. 'has:' .. PUBLIC
    local arguments = { 2 + #need.has, cell .. 'pool:' .. pool, public }
    for _, value in ipairs(need.has) do arguments[#arguments + 1] = cell .. 'has:' .. value end
    arguments[#arguments + 1] = 'LIMIT'
    arguments[#arguments + 1] = #had + 1
    local count = call('SINTERCARD', unpack(arguments))
    if count > 0 then
      local tried = keep_members(keep_members(keep_offering(had, need), public), arguments[2])
      if count > #tried then return true end
    end
  end
  return false
end
