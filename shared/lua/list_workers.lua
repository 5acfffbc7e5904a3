-- The live worker processes, by this server's clock. Those that have been silent for long are forgotten.
--
-- KEYS  workers (hash: worker -> JSON), then each model's workers (zset: worker -> when it last gave a sign of life)
-- ARGV  JSON {alive (seconds for which a sign of life counts)}
-- Returns for each model {seconds since the last sign of life of any worker ('' if none is known), JSON, ...}
local time, alive = now(), cjson.decode(ARGV[1]).alive
local answer = {}
for i = 2, #KEYS do
  local last = redis.call('ZREVRANGE', KEYS[i], 0, 0, 'WITHSCORES')
  local of_model = {last[2] and string.format('%.3f', time - last[2]) or ''}
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[i], time - alive, '+inf')) do
    of_model[#of_model + 1] = redis.call('HGET', KEYS[1], worker) or nil
  end
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[i], '-inf', '(' .. time - alive)) do
    redis.pcall('HDEL', KEYS[1], worker)  -- a replica takes no writes
  end
  -- The last sign of life is worth keeping for a while; a list of every container that ever ran is not.
  if redis.call('ZCARD', KEYS[i]) > 1000 then redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', time - 3600) end
  answer[i - 1] = of_model
end
return answer
