-- Some fields of a job's hash, state first; nil when Redis does not know the job. Numbers are numbers, an
-- absent field is ''. Each costs a walk along the hash, which is a list inside.
local JOB_NUMBERS = { attempt = 1, tries = 1, retries = 1, born = 1, due = 1, since = 1, wait = 1,
  taken = 1, uidx = 1, quiet = 1, priority = 1, payload = 1 }

local function load_fields(id, names)
  local values = call('HMGET', cell .. 'job:' .. id, unpack(names))
  if not values[1] then return nil end
  local job = { id = id }
  for i, name in ipairs(names) do
    job[name] = JOB_NUMBERS[name] and tonumber(values[i] or 0) or values[i] or ''
  end
  return job
end
