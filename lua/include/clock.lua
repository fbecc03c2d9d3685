-- The time of this call, in ms, from Redis: no process clock decides anything.
local call = redis.call
local instant = call('TIME')
local now = instant[1] * 1000 + math.floor(instant[2] / 1000)
