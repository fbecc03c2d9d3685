-- A node without a socket asks for its jobs through some process, which from now on is told of what
-- comes for it: `ear`. The jobs that it is to take (those that it has not acknowledged are given to it
-- again) with their attempts, and those that it need not work on. Who asks is alive.
-- KEYS cell
-- ARGV id, conn, process
-- FLAGS allow-oom
-- RETURNS WORK state jobs unwanted | STALE | UNKNOWN
-- @include clock
-- @include judge
local about, node = load_about(id), load_node(id)
if not node or about.state == 'offline' or about.state == '' then return { 'UNKNOWN' } end
if about.conn ~= conn then return { 'STALE' } end
local jobs, unwanted = {}, {}
for _, job in ipairs(call('SMEMBERS', cell .. 'node:' .. id .. ':jobs')) do
  local state, attempt, its_conn = unpack(call('HMGET', cell .. 'job:' .. job, 'state', 'attempt', 'conn'))
  if state == 'RESERVED' or (state == 'DISPATCHED' and its_conn == conn) then
    jobs[#jobs + 1] = job .. '=' .. attempt .. (state == 'RESERVED' and '' or '=again')
  elseif state == 'CANCELLED' then
    unwanted[#unwanted + 1] = job
  end
end

-- STEP
node.beat, node.ear = now, node.process ~= '' and node.process or process
save_node(node)
call('HSET', cell .. 'node:' .. id, 'ear', process)
return { 'WORK', about.state, table.concat(jobs, ' '), table.concat(unwanted, ' ') }
