-- Writes a new job, unless its idempotency key was used before or the queue is full. One step, so that nobody sees half.
--
-- KEYS[1] raner:job:{id}          hash    the record, written here
-- KEYS[2] raner:job:{id}:texts    string  joined UTF-8 of all texts, written here
-- KEYS[3] raner:job:{id}:pieces   hash    piece number -> its items, JSON; a field goes when its piece is done
-- KEYS[4] raner:job:{id}:results  hash    text index -> its result, JSON; here those that the cache had
-- KEYS[5] raner:jobs:open:{model} zset    id -> time of the last step; jobs that have not ended
-- KEYS[6] ner.{model}             list    the queue, read for its length only
-- KEYS[7] raner:idempotency:{..}  hash    job, fingerprint; a placeholder where the request has no key
-- ARGV[1] JSON: record (flat list of fields), pieces (list of JSON), results (flat list), now, open_ttl, job_ttl,
--         max_queue, idempotent (whether KEYS[7] is real), id, fingerprint
-- ARGV[2] the joined texts
-- Returns {'created'} | {'known', job id, fingerprint} | {'full', waiting pieces}
local new = cjson.decode(ARGV[1])

if redis.call('EXISTS', KEYS[1]) == 1 then
  return {'created'}  -- the client of this script tried again after it lost the first answer
end
if new.idempotent then
  local known = redis.call('HMGET', KEYS[7], 'job', 'fingerprint')
  if known[1] then return {'known', known[1], known[2]} end
end
local waiting = redis.call('LLEN', KEYS[6])
if #new.pieces > 0 and waiting + #new.pieces > new.max_queue then
  return {'full', waiting}
end

local ttl = new.open_ttl
if #new.pieces == 0 then ttl = new.job_ttl end
redis.call('HSET', KEYS[1], unpack(new.record))
redis.call('EXPIRE', KEYS[1], ttl)
redis.call('SET', KEYS[2], ARGV[2], 'EX', ttl)
for i, piece in ipairs(new.pieces) do
  redis.call('HSET', KEYS[3], i - 1, piece)
end
for i = 1, #new.results, 2 do
  redis.call('HSET', KEYS[4], new.results[i], new.results[i + 1])
end
if #new.results > 0 then redis.call('EXPIRE', KEYS[4], ttl) end
if #new.pieces > 0 then
  redis.call('EXPIRE', KEYS[3], ttl)
  redis.call('ZADD', KEYS[5], new.now, new.id)
  redis.call('EXPIRE', KEYS[5], new.open_ttl)
end
if new.idempotent then
  redis.call('HSET', KEYS[7], 'job', new.id, 'fingerprint', new.fingerprint)
  redis.call('EXPIRE', KEYS[7], ttl)
  redis.call('HSET', KEYS[1], 'idempotency', KEYS[7])
end
return {'created'}
