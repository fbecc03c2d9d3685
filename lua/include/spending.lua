-- @include budget
-- CONST budget_ms, budget_percent, budget_retries
-- Retries of a pool are bounded by its new jobs, so that a sick fleet is not buried by them: over the
-- budget jobs fail fast. The last window still counts in part.

-- Read once a call: jobs that are due together are mostly of one pool.
local budgets = {}

local function budget_of(text)
  local window, passed = math.floor(now / budget_ms), now % budget_ms / budget_ms
  local key = budget_key(text, window)
  if not budgets[key] then
    local this = call('HMGET', key, 'new', 'retried')
    local last = call('HMGET', budget_key(text, window - 1), 'new', 'retried')
    local function count(i) return tonumber(this[i] or 0) + (1 - passed) * tonumber(last[i] or 0) end
    budgets[key] = { new = count(1), retried = count(2) }
  end
  return budgets[key]
end

local function is_spent(text)
  local budget = budget_of(text)
  return budget.retried >= budget.new * budget_percent / 100 + budget_retries
end

local function count_retry(text)
  count_budget(text, 'retried')
  local budget = budget_of(text)
  budget.retried = budget.retried + 1
end
