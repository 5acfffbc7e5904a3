-- The job's record; the end of a job that has not ended will be published on a channel.
--
-- KEYS  job
-- ARGV  JSON {channel}
-- Returns the record as HGETALL does
local channel = cjson.decode(ARGV[1]).channel
local job = redis.call('HMGET', KEYS[1], 'status', 'watchers')
if job[1] and not TERMINAL[job[1]] then
  local watchers = job[2] or ''
  if not string.find(' ' .. watchers .. ' ', ' ' .. channel .. ' ', 1, true) then
    redis.call('HSET', KEYS[1], 'watchers', watchers == '' and channel or watchers .. ' ' .. channel)
  end
end
return redis.call('HGETALL', KEYS[1])
