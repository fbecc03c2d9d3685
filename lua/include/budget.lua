-- CONST budget_ms, budget_percent, budget_retries
-- Retries of a pool are bounded by its new jobs, so that a sick fleet is not buried by them: over the
-- budget jobs fail fast. Counted in windows; the last one still counts in part.
local function budget_key(text, window)
  local pool = string.match(text, '^|?([^%s@]+)') or ''
  return cell .. 'budget:' .. window .. ':' .. pool
end

-- Read once a call: jobs that are due together are mostly of one pool.
local spent = {}

local function budget_of(text)
  local window, passed = math.floor(now / budget_ms), now % budget_ms / budget_ms
  local key = budget_key(text, window)
  if not spent[key] then
    local this = call('HMGET', key, 'new', 'retried')
    local last = call('HMGET', budget_key(text, window - 1), 'new', 'retried')
    local function count(i) return tonumber(this[i] or 0) + (1 - passed) * tonumber(last[i] or 0) end
    spent[key] = { new = count(1), retried = count(2) }
  end
  return spent[key]
end

local function is_spent(text)
  local budget = budget_of(text)
  return budget.retried >= budget.new * budget_percent / 100 + budget_retries
end

local function count_budget(text, field)
  local key = budget_key(text, math.floor(now / budget_ms))
  if spent[key] then spent[key][field] = spent[key][field] + 1 end
  if call('HINCRBY', key, field, 1) == 1 then call('PEXPIRE', key, 2 * budget_ms) end
end
