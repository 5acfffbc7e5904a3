-- Divides a piece of several texts into one piece for each text, so that a text which ends its worker does so alone.
--
-- KEYS  job, job:pieces, lane's stream, load
-- ARGV  JSON {id, entry, number, items (list of JSON: the items of each new piece), ttl}
-- Returns how many pieces there are in its place; 0 where nobody wants the piece any more
local key, pieces, stream, load = unpack(KEYS)
local ask = cjson.decode(ARGV[1])

remove_entry(stream, ask.entry)
local job = read_job(key)
if not job or TERMINAL[job.status] or redis.call('HDEL', pieces, ask.number) == 0 then return 0 end
for i, items in ipairs(ask.items) do
  local number = job.numbered + i - 1
  redis.call('HSET', pieces, number, items)
  add_piece(stream, ask.ttl, ask.id, 'piece', number)
end
redis.call('EXPIRE', pieces, ask.ttl)  -- taking the last field away took the key and its expiry with it
redis.call('HSET', key, 'numbered', job.numbered + #ask.items)
redis.call('HINCRBY', key, 'total', #ask.items - 1)
redis.call('HINCRBY', load, 'pieces', #ask.items - 1)
return #ask.items
