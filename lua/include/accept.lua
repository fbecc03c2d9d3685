-- @include slot
-- @include create
-- @include begin
-- @include replies
-- @include receipt
-- SELECTING → RESERVED; → DISPATCHED at once on a node of the asking process.
local function accept(made, node, need, stale)
  local is_ours = process ~= '' and node.process == process
  local index = is_ours and next_index(session, node.id)
  local pool = pool_of(node, need)
  -- STEP
  if not store_payload() then return { 'MISSING' } end
  take_out(stale)
  if not index then
    -- @include reserve
    enrol(made)
    reserve(made, node, pool, born(made))
    emit_new(made, 'NEW SELECTING RESERVED', 'receipt', receipt(need, passed))
    return reserved(made)
  end
  enrol(made)
  occupy(made, node, pool)
  begin(made, node, session, index, 'attempt', made.attempt, 'node', node.id, 'slot', '1',
    'pool', pool, 'begun', process .. ' ' .. made.attempt, born(made))
  emit_new(made, 'NEW SELECTING RESERVED DISPATCHED', 'receipt', receipt(need, passed))
  return begun(made)
end
