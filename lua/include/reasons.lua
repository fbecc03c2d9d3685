-- @include usable
-- @include offers
-- The first check that a node does not pass; `capacity_exceeded` for one that passes all the others.
local REASONS = { [0] = 'capacity_exceeded', 'offline', 'status_not_ready', 'not_in_public_pool',
  'gpu_unavailable', 'resource_threshold_exceeded', 'capacity_exceeded' }

local LACKING = { asr = 'asr_lang_unsupported', semantic = 'lang_pair_unsupported',
  tts = 'tts_lang_unsupported' }

local function lacking(value)
  return LACKING[string.match(value, '^(%a+):')] or 'model_not_available'
end

local function reason_of(id, raw, need, skip)
  if skip[id] then return 'excluded' end
  local node = load_node(id, raw)
  if not node then return 'offline' end
  for _, value in ipairs(need.has) do
    if not offers(node, { has = { value } }) then return lacking(value) end
  end
  if not fresh(node) then return 'offline' end
  return REASONS[node.why]
end
