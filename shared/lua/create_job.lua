-- Writes a new job and puts its pieces into the queue, unless its idempotency key was used before or the queue is full.
-- One step: there is no job without its pieces.
--
-- KEYS[1] raner:job:{id}          hash    the record, written here
-- KEYS[2] raner:job:{id}:texts    string  joined UTF-8 of all texts, written here
-- KEYS[3] raner:job:{id}:pieces   hash    piece number -> its items, JSON; a field goes when its piece is done
-- KEYS[4] raner:job:{id}:results  hash    text index -> its result, JSON; here those that the cache had
-- KEYS[5] raner:jobs:open:{model} zset    id -> created; jobs that have not ended
-- KEYS[6] raner:queue:{model}     list    waiting pieces, '{job}:{piece number}', oldest first
-- KEYS[7] raner:queue:{model}:lingering   zset, turn -> until when it waits for pieces with nothing to do; read only
-- KEYS[8] ner.{model}             list    turns that wait for a worker process; read only
-- KEYS[9] raner:idempotency:{..}  hash    job, fingerprint; a placeholder where the request has no key
-- ARGV[1] JSON: record (flat list of fields), pieces (list of JSON), results (flat list), now, open_ttl, job_ttl,
--         max_queue, idempotent (whether KEYS[9] is real), id, fingerprint
-- ARGV[2] the joined texts
-- Returns {'created', wake} | {'known', job id, fingerprint} | {'full', waiting pieces}; wake is 1 where no turn is on
--         its way that would take the pieces up, so the caller has to send one
local new = cjson.decode(ARGV[1])

if redis.call('EXISTS', KEYS[1]) == 1 then
  return {'created', 0}  -- the client of this script tried again after it lost the first answer; the sweep looks for it
end
if new.idempotent then
  local known = redis.call('HMGET', KEYS[9], 'job', 'fingerprint')
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
for i = 1, #new.results, 2 do
  redis.call('HSET', KEYS[4], new.results[i], new.results[i + 1])
end
if #new.results > 0 then redis.call('EXPIRE', KEYS[4], ttl) end
if new.idempotent then
  redis.call('HSET', KEYS[9], 'job', new.id, 'fingerprint', new.fingerprint)
  redis.call('EXPIRE', KEYS[9], ttl)
  redis.call('HSET', KEYS[1], 'idempotency', KEYS[9])
end
if #new.pieces == 0 then return {'created', 0} end

for i, piece in ipairs(new.pieces) do
  redis.call('HSET', KEYS[3], i - 1, piece)
  redis.call('RPUSH', KEYS[6], new.id .. ':' .. (i - 1))
end
redis.call('EXPIRE', KEYS[3], ttl)
redis.call('EXPIRE', KEYS[6], ttl)
redis.call('ZADD', KEYS[5], new.now, new.id)
redis.call('EXPIRE', KEYS[5], ttl)
local takers = redis.call('ZCOUNT', KEYS[7], new.now, '+inf')
if takers < waiting + #new.pieces and redis.call('LLEN', KEYS[8]) == 0 then return {'created', 1} end
return {'created', 0}
