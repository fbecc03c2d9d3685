-- @include budget
-- CONST budget_ms, budget_percent, budget_retries
-- Retries of a pool are bounded by the jobs that end, so that a sick fleet is not buried by them: over
-- the budget jobs fail fast. The last window still counts in part. Read once a call: jobs that are due
-- together are mostly of one pool.
local function budget_of(text)
  local window, passed = math.floor(now / budget_ms), now % budget_ms / budget_ms
  local key = budget_key(text, window)
  if not budgets[key] then
    local this = call('HMGET', key, 'ended', 'retried')
    local last = call('HMGET', budget_key(text, window - 1), 'ended', 'retried')
    local function count(i) return tonumber(this[i] or 0) + (1 - passed) * tonumber(last[i] or 0) end
    budgets[key] = { ended = count(1), retried = count(2) }
  end
  return budgets[key]
end

local function is_spent(text)
  local budget = budget_of(text)
  return budget.retried >= budget.ended * budget_percent / 100 + budget_retries
end
