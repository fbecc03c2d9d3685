-- The highest index of a session's utterances so far is in its hash: a stream goes on after it, however
-- long ago that one was answered.

-- With a further one; nil when Redis does not know the session.
local function newest_with(index, session)
  local process, newest = unpack(call('HMGET', cell .. 'session:' .. session, 'process', 'newest'))
  return process and math.max(index, tonumber(newest or -1))
end
