-- Writes a piece's results and counts it done, once however often it runs. Where it was the last piece and no text was
-- cut, the job ends here; where texts were cut, the caller puts their parts together and ends it.
--
-- KEYS[1] raner:job:{id}          hash    status, done, total, finished, cut
-- KEYS[2] raner:job:{id}:texts    string  expiry set at the end
-- KEYS[3] raner:job:{id}:pieces   hash    the piece's field goes; the key goes at the end
-- KEYS[4] raner:job:{id}:results  hash    text index -> result JSON, written here
-- KEYS[5] raner:job:{id}:parts    hash    '{text}:{part}' -> part JSON of a cut text, written here
-- KEYS[6] raner:jobs:open:{model} zset    id -> time of the last step; the id goes at the end
-- KEYS[7] raner:job:{id}:events   channel JSON {status, done, total}
-- ARGV    piece number, now, id, job_ttl, open_ttl, results (JSON, flat list), parts (JSON, flat list)
-- Returns {state, done, total}, state one of 'running' | 'assemble' | 'succeeded' | 'ended'
local job = redis.call('HMGET', KEYS[1], 'status', 'done', 'total', 'cut', 'idempotency')
local status = job[1]
if not status or status == 'succeeded' or status == 'failed' or status == 'cancelled' then return {'ended', 0, 0} end

local done, total = tonumber(job[2]), tonumber(job[3])
if redis.call('HDEL', KEYS[3], ARGV[1], ARGV[1] .. ':tries') > 0 then
  for key, flat in pairs({[KEYS[4]] = ARGV[6], [KEYS[5]] = ARGV[7]}) do
    local fields = cjson.decode(flat)
    for i = 1, #fields, 2 do redis.call('HSET', key, fields[i], fields[i + 1]) end
    if #fields > 0 then redis.call('EXPIRE', key, ARGV[5]) end
  end
  done = redis.call('HINCRBY', KEYS[1], 'done', 1)
  redis.call('ZADD', KEYS[6], ARGV[2], ARGV[3])
end

if done == total and job[4] == '0' then
  redis.call('HSET', KEYS[1], 'status', 'succeeded', 'finished', ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[4])
  redis.call('EXPIRE', KEYS[2], ARGV[4])
  redis.call('EXPIRE', KEYS[4], ARGV[4])
  redis.call('DEL', KEYS[3], KEYS[5])
  redis.call('ZREM', KEYS[6], ARGV[3])
  if job[5] then redis.call('EXPIRE', job[5], ARGV[4]) end
  redis.call('PUBLISH', KEYS[7], cjson.encode({status = 'succeeded', done = done, total = total}))
  return {'succeeded', done, total}
end
redis.call('PUBLISH', KEYS[7], cjson.encode({status = 'running', done = done, total = total}))
if done == total then return {'assemble', done, total} end
return {'running', done, total}
