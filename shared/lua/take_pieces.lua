-- Takes pieces up for a turn: their jobs run from here on. What a turn has taken stays its own until it is finished or
-- dropped, so that a turn which is delivered again, because its worker died, finds what it left.
--
-- KEYS[1] raner:queue:{model}            list  waiting pieces, '{job}:{piece number}', oldest first
-- KEYS[2] raner:turn:{turn}              list  pieces that the turn has taken and not finished
-- KEYS[3] raner:queue:{model}:taken      zset  piece -> when it was taken; of all turns
-- KEYS[4] raner:queue:{model}:lingering  zset  turn -> until when it waits for pieces with nothing to do
-- KEYS[5] ner.{model}                    list  turns that wait for a worker process; read only
-- Of each piece's job: raner:job:{id} (hash: status, started), :pieces (hash: piece number -> items; '{number}:tries'
-- -> times it was taken up), :texts (string, the slices are cut from it)
-- ARGV    turn, now, most_pieces, most_bytes (beyond the first piece), held_only ('1': only what the turn has taken
--         before), linger_until ('0': the turn does not wait where there is nothing), ttl, takers (worker processes that
--         do the model's pieces: none takes more than its share of what waits)
-- Returns {wake, piece, piece, ...}; wake is 1 where pieces still wait and no turn is on its way; a piece is
--         {job, number, tries, items JSON, slice, slice, ...}, with tries 0 and no items where all pieces of the job are
--         done but nobody has ended it
local turn, now, most_pieces, most_bytes = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

local function drop(name)
  redis.call('LREM', KEYS[2], 1, name)
  redis.call('ZREM', KEYS[3], name)
end

-- The piece of that name and its size; nothing where nobody wants it; false where it is too large to come along.
local function start(name, room)
  local id, number = string.match(name, '^(.*):(%d+)$')
  local key = 'raner:job:' .. id
  local job = redis.call('HMGET', key, 'status', 'done', 'total')
  local status = job[1]
  if not status or status == 'succeeded' or status == 'failed' or status == 'cancelled' then return nil end
  local items = redis.call('HGET', key .. ':pieces', number)
  if not items then
    if job[2] == job[3] then return {id, tonumber(number), 0, ''}, 0 end
    return nil
  end
  local decoded = cjson.decode(items)
  local size = 0
  for _, item in ipairs(decoded) do size = size + item[4] - item[3] end
  if size > room then return false end
  if status == 'queued' then redis.call('HSET', key, 'status', 'running', 'started', now) end
  local piece = {id, tonumber(number), redis.call('HINCRBY', key .. ':pieces', number .. ':tries', 1), items}
  for _, item in ipairs(decoded) do
    -- [text, part, byte_start, byte_end, ...], see PieceItem; an empty text has no byte to get
    if item[4] > item[3] then
      piece[#piece + 1] = redis.call('GETRANGE', key .. ':texts', item[3], item[4] - 1)
    else
      piece[#piece + 1] = ''
    end
  end
  redis.call('ZADD', KEYS[3], now, name)
  return piece, size
end

redis.call('ZREM', KEYS[4], turn)
local answer = {0}
local left = most_bytes
for _, name in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  if #answer > 1 and ARGV[5] == '1' then break end
  local piece, size = start(name, math.huge)
  if piece then
    answer[#answer + 1] = piece
    left = left - size
  else
    drop(name)
  end
end
most_pieces = math.min(most_pieces, math.ceil(redis.call('LLEN', KEYS[1]) / tonumber(ARGV[8])))
-- Pieces that nobody wants any more cost a step each; not so many at once that Redis does nothing else.
local looked = 0
while ARGV[5] ~= '1' and #answer <= most_pieces and looked < 1000 do
  looked = looked + 1
  local name = redis.call('LPOP', KEYS[1])
  if not name then break end
  local room = left
  if #answer == 1 then room = math.huge end
  local piece, size = start(name, room)
  if piece == false then
    redis.call('LPUSH', KEYS[1], name)
    break
  end
  if piece then
    redis.call('RPUSH', KEYS[2], name)
    answer[#answer + 1] = piece
    left = left - size
  end
end
redis.call('EXPIRE', KEYS[2], ARGV[7])
redis.call('EXPIRE', KEYS[3], ARGV[7])
redis.call('EXPIRE', KEYS[1], ARGV[7])

if #answer == 1 and ARGV[6] ~= '0' and redis.call('LLEN', KEYS[1]) == 0 then
  redis.call('ZADD', KEYS[4], ARGV[6], turn)
  redis.call('EXPIRE', KEYS[4], ARGV[7])
end
if redis.call('LLEN', KEYS[1]) > 0 and redis.call('ZCOUNT', KEYS[4], now, '+inf') == 0
    and redis.call('LLEN', KEYS[5]) == 0 then
  answer[1] = 1
end
return answer
