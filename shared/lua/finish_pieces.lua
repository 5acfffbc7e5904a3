-- Writes the results of pieces and counts them done, each once however often it runs. A job ends with its last piece;
-- where texts of it were cut, the caller puts their parts together and ends it, and the piece stays the turn's until then.
--
-- KEYS[1] raner:turn:{turn}          list  pieces that the turn has taken; these go
-- KEYS[2] raner:queue:{model}:taken  zset  piece -> when it was taken; these go
-- KEYS[3] raner:jobs:open:{model}    zset  id -> created; a job that ends goes
-- Of each piece's job: raner:job:{id} (hash: status, done, total, finished, cut, watchers, idempotency), :texts (expiry),
-- :pieces (the piece's field goes; the key goes at the end), :results (hash: text index -> result JSON), :parts (hash:
-- '{text}:{part}' -> part JSON of a cut text)
-- Who watches a job is told its end with its id; if it is one text and its result is small, with all there is to know:
-- '{id} {started} {finished} {result JSON}', so that nobody has to ask.
-- ARGV    now, job_ttl, open_ttl; then of each piece: '{job}:{number}', how many values of results follow, those (flat:
--         field, value, ...), how many values of parts follow, those
-- Returns the state of each piece's job: 'running' | 'assemble' | 'succeeded' | 'ended'
local now, job_ttl, open_ttl = ARGV[1], ARGV[2], ARGV[3]
local at = 4
local small = 4096  -- bytes

local function fields()
  local count = tonumber(ARGV[at])
  local found = {}
  for i = 1, count do found[i] = ARGV[at + i] end
  at = at + count + 1
  return found
end

local function write(key, flat)
  for i = 1, #flat, 2 do redis.call('HSET', key, flat[i], flat[i + 1]) end
  if #flat > 0 then redis.call('EXPIRE', key, open_ttl) end
end

local function finish(id, number, results, parts)
  local key = 'raner:job:' .. id
  local job = redis.call('HMGET', key, 'status', 'done', 'total', 'cut', 'idempotency', 'watchers', 'started')
  local status = job[1]
  if not status or status == 'succeeded' or status == 'failed' or status == 'cancelled' then return 'ended' end

  local done, total = tonumber(job[2]), tonumber(job[3])
  if redis.call('HDEL', key .. ':pieces', number, number .. ':tries') > 0 then
    write(key .. ':results', results)
    write(key .. ':parts', parts)
    done = redis.call('HINCRBY', key, 'done', 1)
  end
  if done < total then return 'running' end
  if job[4] ~= '0' then return 'assemble' end

  redis.call('HSET', key, 'status', 'succeeded', 'finished', now)
  redis.call('EXPIRE', key, job_ttl)
  redis.call('EXPIRE', key .. ':texts', job_ttl)
  redis.call('EXPIRE', key .. ':results', job_ttl)
  redis.call('DEL', key .. ':pieces', key .. ':parts')
  redis.call('ZREM', KEYS[3], id)
  if job[5] then redis.call('EXPIRE', job[5], job_ttl) end
  if job[6] then
    local message = id
    if job[7] and #results == 2 and #results[2] <= small and redis.call('HLEN', key .. ':results') == 1 then
      message = table.concat({id, job[7], now, results[2]}, ' ')
    end
    for channel in string.gmatch(job[6], '%S+') do redis.call('PUBLISH', channel, message) end
  end
  return 'succeeded'
end

local states = {}
while at <= #ARGV do
  local name = ARGV[at]
  local id, number = string.match(name, '^(.*):(%d+)$')
  at = at + 1
  local results = fields()
  local state = finish(id, number, results, fields())
  if state ~= 'assemble' then
    redis.call('LREM', KEYS[1], 1, name)
    redis.call('ZREM', KEYS[2], name)
  end
  states[#states + 1] = state
end
return states
