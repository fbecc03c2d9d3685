-- Lays down a large value where SET is refused: the result of a finished job must not be lost when
-- Redis is out of memory. Results are bounded by the jobs that run.
-- KEYS cell
-- ARGV token, value, ttl_ms:int
-- FLAGS allow-oom
-- RETURNS STASHED
redis.call('SET', cell .. 'inbox:' .. token, value, 'PX', ttl_ms)
return { 'STASHED' }
