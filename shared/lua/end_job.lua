-- Brings a job to a terminal state, unless it has one: that never changes.
--
-- KEYS[1] raner:job:{id}          hash    status, finished, error, watchers
-- KEYS[2] raner:job:{id}:texts    string  expiry set
-- KEYS[3] raner:job:{id}:pieces   hash    goes
-- KEYS[4] raner:job:{id}:results  hash    the results of cut texts come in; goes where the job did not succeed
-- KEYS[5] raner:job:{id}:parts    hash    goes
-- KEYS[6] raner:jobs:open:{model} zset    the id goes
-- ARGV    status, now, id, job_ttl, results (JSON, flat list), error ('' for none)
-- Returns the status that was found: the caller's came into effect where that is no terminal one; '' for no such job
local job = redis.call('HMGET', KEYS[1], 'status', 'idempotency', 'watchers')
local status = job[1]
if not status then return '' end
if status == 'succeeded' or status == 'failed' or status == 'cancelled' then return status end

redis.call('HSET', KEYS[1], 'status', ARGV[1], 'finished', ARGV[2])
if ARGV[6] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[6]) end
if ARGV[1] == 'succeeded' then
  local fields = cjson.decode(ARGV[5])
  for i = 1, #fields, 2 do redis.call('HSET', KEYS[4], fields[i], fields[i + 1]) end
else
  redis.call('DEL', KEYS[4])
end
redis.call('DEL', KEYS[3], KEYS[5])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('EXPIRE', KEYS[4], ARGV[4])
redis.call('ZREM', KEYS[6], ARGV[3])
if job[2] then redis.call('EXPIRE', job[2], ARGV[4]) end
for channel in string.gmatch(job[3] or '', '%S+') do redis.call('PUBLISH', channel, ARGV[3]) end
return status
