-- Records a new job and puts its pieces into its lane's stream, unless its idempotency key was used before or the queue is
-- full. One step: there is no job whose pieces are nowhere.
--
-- KEYS  job, job:texts, job:pieces, job:results, open, load, lane's stream, other lane's stream, idle, wakeups, idempotency
--       (any key where the request has none)
-- ARGV  JSON {id, record (object), pieces (list of JSON), results (object), open_ttl, max_pieces, max_bytes,
--       idempotent, fingerprint}; the joined texts
-- Returns {'created', created, wake} | {'known', job id, fingerprint} | {'full', pieces, bytes}; wake is 1 if the caller is
-- to send a wake-up
local job_key, texts, pieces, results, open, load, stream, other, idle, wakeups, idempotency = unpack(KEYS)
local new = cjson.decode(ARGV[1])
local record = new.record

local created = redis.call('HGET', job_key, 'created')
if created then return {'created', created, 0} end  -- the caller lost the first answer and tries again
if new.idempotent then
  local known = redis.call('HMGET', idempotency, 'job', 'fingerprint')
  if known[1] then return {'known', known[1], known[2]} end
end
-- Jobs that expired unfinished leave their share of the load behind.
local load_is_stale = redis.call('ZCARD', open) == 0
if #new.pieces > 0 then
  local held = load_is_stale and {} or redis.call('HMGET', load, 'pieces', 'bytes')
  local held_pieces, held_bytes = tonumber(held[1]) or 0, tonumber(held[2]) or 0
  if held_pieces + #new.pieces > new.max_pieces or held_bytes + record.bytes > new.max_bytes then
    return {'full', held_pieces, held_bytes}
  end
end

-- The first write is one that a full Redis refuses: after any other it would let the script go on.
if #new.pieces > 0 then ensure_group(stream, new.open_ttl) end
created = now()
local ttl = #new.pieces > 0 and new.open_ttl or record.ttl
record.created = created
if #new.pieces == 0 then record.started, record.finished = created, created end
if new.idempotent then record.idempotency = idempotency end
write_fields(job_key, record)
redis.call('EXPIRE', job_key, ttl)
redis.call('SET', texts, ARGV[2], 'EX', ttl)
if next(new.results) then
  write_fields(results, new.results)
  redis.call('EXPIRE', results, ttl)
end
if new.idempotent then
  redis.call('HSET', idempotency, 'job', new.id, 'fingerprint', new.fingerprint)
  redis.call('EXPIRE', idempotency, ttl)
end
if #new.pieces == 0 then return {'created', created, 0} end

local numbered = {}
for i, piece in ipairs(new.pieces) do numbered[i - 1] = piece end
write_fields(pieces, numbered)
redis.call('EXPIRE', pieces, ttl)
redis.call('ZADD', open, created, new.id)
if load_is_stale then redis.call('DEL', load) end
redis.call('HINCRBY', load, 'pieces', #new.pieces)
redis.call('HINCRBY', load, 'bytes', record.bytes)
redis.call('EXPIRE', open, ttl)
redis.call('EXPIRE', load, ttl)
top_up(stream, ttl, job_key, new.id, record)
return {'created', created, wake_wanted({stream, other}, idle, wakeups)}
