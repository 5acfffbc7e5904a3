-- Takes a piece up: the job runs from here on. Safe to run again for a piece that was delivered twice.
--
-- KEYS[1] raner:job:{id}          hash    status, started, done, total, enqueued
-- KEYS[2] raner:job:{id}:texts    string  the slices are cut from it
-- KEYS[3] raner:job:{id}:pieces   hash    piece number -> items; '{number}:tries' -> times it was taken up
-- KEYS[4] raner:jobs:open:{model} zset    id -> time of the last step
-- KEYS[5] raner:queue:{model}:head string enqueue time of the latest job that got its turn; the sweep reads it
-- ARGV    piece number, now, id, open_ttl
-- Returns {'work', tries, items JSON, slice, slice, ...} | {'assemble'} all pieces are done but the job has not ended
--         | {'done'} this piece is | {'ended'} the job is, or it expired
local job = redis.call('HMGET', KEYS[1], 'status', 'enqueued', 'created', 'done', 'total')
local status = job[1]
if not status or status == 'succeeded' or status == 'failed' or status == 'cancelled' then return {'ended'} end

local enqueued = tonumber(job[2] or job[3])
if enqueued > tonumber(redis.call('GET', KEYS[5]) or 0) then
  redis.call('SET', KEYS[5], enqueued, 'EX', ARGV[4])
end
local items = redis.call('HGET', KEYS[3], ARGV[1])
if not items then
  if job[4] == job[5] then return {'assemble'} end
  return {'done'}
end
if status == 'queued' then
  redis.call('HSET', KEYS[1], 'status', 'running', 'started', ARGV[2])
end
redis.call('ZADD', KEYS[4], ARGV[2], ARGV[3])
local answer = {'work', redis.call('HINCRBY', KEYS[3], ARGV[1] .. ':tries', 1), items}
for _, item in ipairs(cjson.decode(items)) do
  -- [text, part, byte_start, byte_end, ...], see PieceItem; an empty text has no byte to get
  if item[4] > item[3] then
    answer[#answer + 1] = redis.call('GETRANGE', KEYS[2], item[3], item[4] - 1)
  else
    answer[#answer + 1] = ''
  end
end
return answer
