-- Lets others claim at once what a consumer has read and not finished, whose worker process is gone.
--
-- KEYS  interactive, bulk (streams), wakeups
-- ARGV  JSON {consumer, entries (list of {lane, entry}; empty: all of the consumer's), claim_after (milliseconds), ttl}
-- Returns {how many, wake}
local streams, wakeups = {KEYS[1], KEYS[2]}, KEYS[3]
local ask = cjson.decode(ARGV[1])
local found = {}

for lane, stream in ipairs(streams) do
  ensure_group(stream, ask.ttl)
  for _, pending in ipairs(redis.call('XPENDING', stream, GROUP, '-', '+', 1000, ask.consumer)) do
    found[lane .. pending[1]] = {stream, pending[1]}
  end
end
local chosen = {}
if #ask.entries == 0 then
  for _, each in pairs(found) do chosen[#chosen + 1] = each end
else
  for _, entry in ipairs(ask.entries) do
    local each = found[entry[1] .. entry[2]]
    if each then chosen[#chosen + 1] = each end
  end
end
for _, each in ipairs(chosen) do
  redis.call('XCLAIM', each[1], GROUP, ask.consumer, 0, each[2], 'IDLE', ask.claim_after, 'JUSTID')
end
return {#chosen, #chosen > 0 and redis.call('LLEN', wakeups) == 0 and 1 or 0}
