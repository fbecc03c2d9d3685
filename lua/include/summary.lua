-- @include offers
-- `offers`: how many members of each pool offer just these has: values.

-- Reads: the lines of `offers` that this changes, as they are to be. `news`: one is made or removed.
local function plan_offers(plan, node)
  local before, after, steps = has_of(node), table.concat(plan.has, ' '), {}
  plan.lines = {}
  local function count(pools, has, step)
    for _, pool in ipairs(pools) do
      plan.lines[#plan.lines + 1] = pool .. ' ' .. has
      steps[#plan.lines] = step
    end
  end
  count(before == after and plan.left or words(node.pools), before, -1)
  count(before == after and plan.joined or plan.pools, after, 1)
  plan.counts = #steps > 0 and call('HMGET', cell .. 'offers', unpack(plan.lines)) or {}
  for i, step in ipairs(steps) do
    plan.counts[i] = (tonumber(plan.counts[i]) or 0) + step
    plan.news = plan.news or plan.counts[i] == 0 or plan.counts[i] == 1 and step == 1
  end
end

local function save_offers(plan)
  for i, line in ipairs(plan.lines) do
    if plan.counts[i] > 0 then
      call('HSET', cell .. 'offers', line, plan.counts[i])
    else
      call('HDEL', cell .. 'offers', line)
    end
  end
end
