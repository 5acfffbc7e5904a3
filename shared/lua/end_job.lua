-- Brings a job to a terminal state, unless it has one: that never changes.
--
-- KEYS  job, open, load, lane's stream
-- ARGV  JSON {id, status, error ('' for none), results (object: those of cut texts), failed (how many of them are errors),
--       entry (id of the stream's entry that is done with this, '' for none)}
-- A status of 'succeeded' becomes 'failed' where every text ended in an error.
-- Returns the status that was found, '' where there is no such job. A terminal one stays as it is.
local key, open, load, stream = unpack(KEYS)
local ask = cjson.decode(ARGV[1])

if ask.entry ~= '' then
  remove_entry(stream, ask.entry)
end
local job = read_job(key)
if not job then return '' end
if TERMINAL[job.status] then return job.status end

for index, result in pairs(ask.results) do redis.call('HSET', key .. ':results', index, result) end
if ask.failed > 0 then job.failed = redis.call('HINCRBY', key, 'failed', ask.failed) end
-- Why a job failed outweighs why one of its texts did.
if ask.error ~= '' then redis.call(ask.status == 'failed' and 'HSET' or 'HSETNX', key, 'error', ask.error) end
local status = ask.status
if status == 'succeeded' and job.failed == job.texts then status = 'failed' end
end_job(key, ask.id, status, job, open, load)
return job.status
