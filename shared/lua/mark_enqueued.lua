-- Notes that every piece of a job that is to be done is in the queue; nothing where the job expired meanwhile.
--
-- KEYS[1] raner:job:{id}          hash    enqueued
-- KEYS[2] raner:jobs:open:{model} zset    id -> time of the last step; not added, since a worker may have ended the job
-- ARGV    now, id
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'enqueued', ARGV[1])
  redis.call('ZADD', KEYS[2], 'XX', ARGV[1], ARGV[2])
end
