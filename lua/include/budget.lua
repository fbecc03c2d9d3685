-- CONST budget_ms, budget_percent, budget_retries
-- Retries of a pool are bounded by its new jobs, so that a sick fleet is not buried by them: over the
-- budget jobs fail fast. Counted in windows; the last one still counts in part.
local function budget_key(text, window)
  local pool = string.match(text, '^|?([^%s@]+)') or ''
  return cell .. 'budget:' .. window .. ':' .. pool
end

local function count_budget(text, field)
  local key = budget_key(text, math.floor(now / budget_ms))
  if call('HINCRBY', key, field, 1) == 1 then call('PEXPIRE', key, 2 * budget_ms) end
end

local function is_spent(text)
  local window, passed = math.floor(now / budget_ms), now % budget_ms / budget_ms
  local this = call('HMGET', budget_key(text, window), 'new', 'retried')
  local last = call('HMGET', budget_key(text, window - 1), 'new', 'retried')
  local function count(i) return (tonumber(this[i] or 0)) + (1 - passed) * tonumber(last[i] or 0) end
  return count(2) >= count(1) * budget_percent / 100 + budget_retries
end
