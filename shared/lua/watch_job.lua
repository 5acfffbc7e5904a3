-- The job's record; where it has not ended, its end will be told on a channel.
--
-- KEYS[1] raner:job:{id}  hash  watchers: channels, separated by spaces, on which the id is published when the job ends
-- ARGV    channel
-- Returns the record as HGETALL does
local job = redis.call('HMGET', KEYS[1], 'status', 'watchers')
if job[1] == 'queued' or job[1] == 'running' then
  local watchers = job[2] or ''
  if not string.find(' ' .. watchers .. ' ', ' ' .. ARGV[1] .. ' ', 1, true) then
    redis.call('HSET', KEYS[1], 'watchers', watchers == '' and ARGV[1] or watchers .. ' ' .. ARGV[1])
  end
end
return redis.call('HGETALL', KEYS[1])
