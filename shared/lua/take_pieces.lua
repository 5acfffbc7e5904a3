-- Gives pieces to a worker process; their jobs run from here on. A piece stays the process's (pending, in the terms of
-- Redis) until finish_pieces.lua acknowledges it, or until it is claimed because the process gave no sign of life.
--
-- KEYS  interactive, bulk (the streams), idle, wakeups, open, load
-- ARGV  JSON {consumer, lanes (1 and 2 in the order to look at), most (pieces), room (bytes of text), takers (worker
--       processes that share what waits), delivered (list of {lane, entry id, job, piece or '', kind or ''}: what a
--       blocking read brought), claim (whether to look for pieces whose worker is gone), claim_after (milliseconds
--       without a sign of life), linger (milliseconds that the process is going to wait for a piece if it gets none),
--       ttl, job_prefix, schemas (list of those that the worker can read)}
-- Returns {wake, piece, ...}; wake is 1 if the caller is to send a wake-up; a piece is {lane, entry id, deliveries, job,
--       kind ('do' | 'assemble' | 'unreadable'), number, items JSON, slice, ...}. Claimed pieces come alone.
local MOST_LOOKED = 1000
local streams, idle, wakeups, open, load = {KEYS[1], KEYS[2]}, KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local ask = cjson.decode(ARGV[1])
local readable = {}
for _, schema in ipairs(ask.schemas) do readable[tostring(schema)] = true end

-- The piece of an entry and its size in bytes; nil where nobody wants it any more.
local function load_piece(lane, entry, deliveries, id, number, kind)
  if not id or not (number or kind) then return nil end  -- the farm writes no such entry
  local key = ask.job_prefix .. id
  local head = redis.call('HMGET', key, 'status', 'schema', 'done', 'total')
  if not head[1] or TERMINAL[head[1]] then return nil end
  if not readable[head[2] or ''] then return {lane, entry, deliveries, id, 'unreadable', 0, ''}, 0 end
  if kind == 'assemble' then return {lane, entry, deliveries, id, kind, 0, ''}, 0 end
  local items = redis.call('HGET', key .. ':pieces', number)
  local gone = nil
  if not items then
    local all_done = tonumber(head[3] or 0) >= tonumber(head[4] or 1)
    if all_done or redis.call('EXISTS', key .. ':pieces') == 1 then return nil end  -- this piece is done
    gone = 'its pieces are'
  elseif redis.call('EXISTS', key .. ':texts') == 0 then
    gone = 'its texts are'
  end
  if gone then
    redis.call('HSET', key, 'error', gone .. ' gone from Redis: keys were deleted or evicted; submit the texts again')
    end_job(key, id, 'failed', read_job(key), open, load)
    return nil
  end
  if head[1] == 'queued' then redis.call('HSET', key, 'status', 'running', 'started', now()) end
  local piece, size = {lane, entry, deliveries, id, 'do', tonumber(number), items}, 0
  local well = pcall(function()
    for _, item in ipairs(cjson.decode(items)) do
      local first, last = item[3], item[4]  -- see PieceItem: bytes [first, last) of the texts
      size = size + last - first
      piece[#piece + 1] = last > first and redis.call('GETRANGE', key .. ':texts', first, last - 1) or ''
    end
  end)
  if not well then return {lane, entry, deliveries, id, 'unreadable', 0, ''}, 0 end
  return piece, size
end

local answer, left = {0}, ask.room

local function take(lane, entry, deliveries, id, number, kind)
  local piece, size = load_piece(lane, entry, deliveries, id, number, kind)
  if not piece then return remove_entry(streams[lane], entry) end
  answer[#answer + 1] = piece
  left = left - size
end

local function fields_of(flat)
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end

redis.call('ZREM', idle, ask.consumer)
for _, stream in ipairs(streams) do ensure_group(stream, ask.ttl) end
for _, got in ipairs(ask.delivered) do take(got[1], got[2], 1, got[3], got[4], got[5]) end

-- Entries that nobody wants any more cost a step each; not so many at once that Redis does nothing else.
local looked = 0
if ask.claim then
  for _, lane in ipairs(ask.lanes) do
    while #answer == 1 and looked < MOST_LOOKED do
      looked = looked + 1
      -- XAUTOCLAIM would look at the ten oldest only, and live processes may hold these.
      local found = redis.call('XPENDING', streams[lane], GROUP, 'IDLE', ask.claim_after, '-', '+', 1)[1]
      if not found then break end
      local entry, deliveries = found[1], found[4] + 1
      local message = redis.call('XCLAIM', streams[lane], GROUP, ask.consumer, 0, entry)[1]
      if message then
        local fields = fields_of(message[2])
        take(lane, entry, deliveries, fields.job, fields.piece, fields.kind)
      else
        remove_entry(streams[lane], entry)  -- somebody deleted it from the stream
      end
    end
  end
  -- It may have ended its worker: nothing else comes along.
  if #answer > 1 then ask.most = 0 end
end

for _, lane in ipairs(ask.lanes) do
  local most, before = ask.most, #answer
  if ask.takers > 1 and most > 1 then most = math.min(most, math.ceil(waiting(streams[lane]) / ask.takers)) end
  while #answer - 1 < most and (left > 0 or #answer == 1) and looked < MOST_LOOKED do
    looked = looked + 1
    local read = redis.call('XREADGROUP', 'GROUP', GROUP, ask.consumer, 'COUNT', 1, 'STREAMS', streams[lane], '>')
    if not read then break end
    local message = read[1][2][1]
    local fields = fields_of(message[2])
    take(lane, message[1], 1, fields.job, fields.piece, fields.kind)
  end
  if #answer > before then break end
end
if #answer == 1 and ask.linger > 0 and waiting(streams[1]) + waiting(streams[2]) == 0 then
  redis.call('ZADD', idle, now() * 1000 + ask.linger, ask.consumer)
  redis.call('EXPIRE', idle, ask.ttl)
else
  answer[1] = wake_wanted(streams, idle, wakeups)
end
return answer
