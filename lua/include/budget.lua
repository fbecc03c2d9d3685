-- CONST budget_ms
-- EACH budgets = {}
-- Ended jobs and retries of a pool are counted in windows of time. `budgets`: those that were
-- read in this call.
local function budget_key(text, window)
  local pool = string.match(text, '^|?([^%s@]+)') or ''
  return cell .. 'budget:' .. window .. ':' .. pool
end

local function count_budget(text, field)
  local key = budget_key(text, math.floor(now / budget_ms))
  if budgets[key] then budgets[key][field] = budgets[key][field] + 1 end
  if call('HINCRBY', key, field, 1) == 1 then call('PEXPIRE', key, 2 * budget_ms) end
end
