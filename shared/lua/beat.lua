-- A worker process's sign of life: it stays on the list of live ones, keeps the pieces that it has in hand, and sees to it
-- that nothing which waits is forgotten.
--
-- KEYS  workers (hash: worker -> JSON; of all models), the model's workers (zset), interactive, bulk (streams), idle,
--       wakeups, open
-- ARGV  JSON {worker (also the name of the consumer), info (JSON), ttl (seconds, of the list), alive (seconds for which a
--       sign of life counts), held (list of {lane, entry}), claim_after (milliseconds), pieces_ttl, job_prefix, look (most
--       open jobs to look at for a stream)}
-- Returns {live workers of the model, wake, jobs that were put back into a stream}
local all, mine, streams, idle, wakeups, open = KEYS[1], KEYS[2], {KEYS[3], KEYS[4]}, KEYS[5], KEYS[6], KEYS[7]
local ask = cjson.decode(ARGV[1])
local time = now()
local LANES = {interactive = 1, bulk = 2}

-- First a write that a full Redis allows: after that it lets the script go on.
redis.call('EXPIRE', all, ask.ttl)
redis.call('HSET', all, ask.worker, ask.info)
redis.call('EXPIRE', all, ask.ttl)
redis.call('ZADD', mine, time, ask.worker)
redis.call('EXPIRE', mine, ask.ttl)

for _, stream in ipairs(streams) do ensure_group(stream, ask.pieces_ttl) end
for _, held in ipairs(ask.held) do
  local stream, entry = streams[held[1]], held[2]
  -- Not one that somebody claimed meanwhile. JUSTID begins its idle time anew and counts no delivery.
  if #redis.call('XPENDING', stream, GROUP, entry, entry, 1, ask.worker) > 0 then
    redis.call('XCLAIM', stream, GROUP, ask.worker, 0, entry, 'JUSTID')
  end
end

-- Puts the pieces of an open job that are to be in its lane's stream there.
local function put_back(stream, id, key, job)
  for _, number in ipairs(redis.call('HKEYS', key .. ':pieces')) do
    if tonumber(number) < job.added or tonumber(number) >= job.planned then
      add_piece(stream, ask.pieces_ttl, id, 'piece', number)
    end
  end
  if job.done >= job.total then add_piece(stream, ask.pieces_ttl, id, 'kind', 'assemble') end
  top_up(stream, ask.pieces_ttl, key, id, job)
end

-- An open job has an entry in its lane's stream. Where the stream has none, or was made anew, entries were lost.
local count = 0
for lane, stream in ipairs(streams) do
  if redis.call('XLEN', stream) == 0 and redis.call('ZCARD', open) > 0 and redis.call('EXISTS', stream .. ':lost') == 0 then
    note_loss(stream, ask.pieces_ttl)
  end
  local lost = redis.call('HMGET', stream .. ':lost', 'before', 'from')
  if lost[1] then
    local found = redis.call('ZRANGEBYSCORE', open, '(' .. lost[2], '(' .. lost[1], 'WITHSCORES', 'LIMIT', 0, ask.look)
    for i = 1, #found, 2 do
      local key = ask.job_prefix .. found[i]
      local job = read_job(key)
      if not job then
        redis.call('ZREM', open, found[i])
      elseif LANES[job.lane or 'bulk'] == lane then
        put_back(stream, found[i], key, job)
        count = count + 1
      end
    end
    if #found < 2 * ask.look then
      redis.call('DEL', stream .. ':lost')
    else
      redis.call('HSET', stream .. ':lost', 'from', found[#found])
    end
  end
end

local claimable = 0
for _, stream in ipairs(streams) do
  -- What is pending and idle will be claimed by whichever process looks.
  claimable = claimable + #redis.call('XPENDING', stream, GROUP, 'IDLE', ask.claim_after, '-', '+', 10)
end
return {redis.call('ZCOUNT', mine, time - ask.alive, '+inf'), wake_wanted(streams, idle, wakeups, claimable), count}
