-- CONST budget_ms
-- EACH budgets, budget_keys, counted = {}, {}, nil
-- Ended jobs and retries of a pool are counted in windows of time. `budgets`: those that were
-- read in this call; `budget_keys`: those of its requirements, now. `counted`: in a call that does the
-- work of many, what it adds to each at its end.
local function budget_key(text, window)
  local pool = string.match(text, '^|?([^%s@]+)') or ''
  return cell .. 'budget:' .. window .. ':' .. pool
end

local function budget_key_now(text)
  budget_keys[text] = budget_keys[text] or budget_key(text, math.floor(now / budget_ms))
  return budget_keys[text]
end

local function add_to_budget(key, field, count)
  if call('HINCRBY', key, field, count) == count then call('PEXPIRE', key, 2 * budget_ms) end
end

local function count_budget(text, field)
  local key = budget_key_now(text)
  if budgets[key] then budgets[key][field] = budgets[key][field] + 1 end
  if counted then
    counted[field][key] = (counted[field][key] or 0) + 1
  else
    add_to_budget(key, field, 1)
  end
end
