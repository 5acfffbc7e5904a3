-- Puts pieces back into the queue whose turn was lost, and forgets open jobs that are gone.
--
-- KEYS[1] raner:queue:{model}        list  waiting pieces, '{job}:{piece number}'
-- KEYS[2] raner:queue:{model}:taken  zset  piece -> when it was taken
-- KEYS[3] raner:jobs:open:{model}    zset  id -> created
-- KEYS[4] ner.{model}                list  turns that wait for a worker process; read only
-- Of jobs: raner:job:{id} (hash), :pieces (hash: piece number -> items)
-- ARGV    before (pieces taken, and jobs created, before that time may be lost), most, ttl
-- Returns {wake, piece, piece, ...}: those put back; wake is 1 where pieces wait and no turn does
local before, most = ARGV[1], tonumber(ARGV[2])
local back = {}

for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', before, 'LIMIT', 0, most)) do
  redis.call('ZREM', KEYS[2], name)
  back[#back + 1] = name
end
local nothing_waits = redis.call('LLEN', KEYS[1]) == 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', before, 'LIMIT', 0, most)) do
  local key = 'raner:job:' .. id
  if redis.call('EXISTS', key) == 0 then
    redis.call('ZREM', KEYS[3], id)
  elseif nothing_waits and #back < most then
    -- What is neither done nor taken would have to wait, but nothing does. All done: piece 0 ends the job.
    local names = {}
    for _, field in ipairs(redis.call('HKEYS', key .. ':pieces')) do
      if string.match(field, '^%d+$') then names[#names + 1] = id .. ':' .. field end
    end
    if #names == 0 then names = {id .. ':0'} end
    for _, name in ipairs(names) do
      if not redis.call('ZSCORE', KEYS[2], name) then back[#back + 1] = name end
    end
  end
end
local seen, answer = {}, {0}
for _, name in ipairs(back) do
  if not seen[name] then
    seen[name] = true
    redis.call('RPUSH', KEYS[1], name)
    answer[#answer + 1] = name
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
if redis.call('LLEN', KEYS[1]) > 0 and redis.call('LLEN', KEYS[4]) == 0 then answer[1] = 1 end
return answer
