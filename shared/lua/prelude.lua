-- What the scripts share. shared/scripts.py puts this text before each of them.
--
-- A job has the keys {job_prefix}{id} (hash: the record) and, with that as prefix, ':texts' (string), ':pieces' (hash:
-- piece number -> its items), ':results' (hash: text index -> result), ':parts' (hash: '{text}:{part}' -> result of a part
-- of a cut text). Fields of the record, which create_job.lua writes:
--
--   schema, status, model, lane, types (absent: all), offsets, created, started, finished (seconds since the epoch),
--   lengths (JSON list, bytes of each text as sent), read (JSON list of [text, bytes of what is read of it, bytes of its
--   places], absent if every text is read as it was sent), texts (their number), cut (how many texts are cut into parts), done and total
--   (pieces), planned (pieces that the job began with; their numbers are 0 to planned - 1), added (how many of these have
--   been put into the stream), numbered (the number of the next piece that a division makes), window (most pieces in the
--   stream at a time), bytes (of texts), failed (texts that ended in an error), error (the first of those, or why the job
--   failed), ttl (seconds that the job is kept after its end), idempotency (the key that holds the job's idempotency key),
--   watchers (channels on which the job's end is published)
--
-- A model has the keys: open (zset: job id -> created), load (hash: pieces, bytes of open jobs), interactive and bulk
-- (streams of pieces; an entry has the fields job and piece, or job and kind = 'assemble'), idle (zset: consumer -> until
-- when, in milliseconds, it waits for a piece), workers (zset: worker process -> when it last gave a sign of life),
-- wakeups (list: Celery messages that no worker has taken). Beside a stream there may be the key '{stream}:lost' (hash:
-- before, from). Jobs that were created before `before` and after `from` may have lost their entries in the stream.
local GROUP = 'workers'
local MESSAGE_LIMIT = 4096  -- bytes of a result that is published with the end of its job
local TERMINAL = {succeeded = true, failed = true, cancelled = true}

-- Seconds since the epoch by this server's clock, as a string: a Lua number would lose digits on its way into Redis.
local function now()
  local time = redis.call('TIME')
  return string.format('%d.%06d', time[1], time[2])
end

-- Notes that jobs which are open now may have lost their entries in a stream. beat.lua looks after them.
local function note_loss(stream, ttl)
  redis.call('HSET', stream .. ':lost', 'before', now(), 'from', 0)
  redis.call('EXPIRE', stream .. ':lost', ttl)
end

local function ensure_group(stream, ttl)
  if redis.call('EXISTS', stream) == 1 then return end
  redis.call('XGROUP', 'CREATE', stream, GROUP, '0', 'MKSTREAM')
  redis.call('EXPIRE', stream, ttl)
  -- The farm deletes no stream. If a job is open now, somebody else deleted this one.
  note_loss(stream, ttl)
end

-- How many entries of a stream no worker has read yet. Entries are deleted when they are done.
local function waiting(stream)
  local length = redis.call('XLEN', stream)
  return length == 0 and 0 or length - redis.call('XPENDING', stream, GROUP)[1]
end

-- Whether a wake-up is to be sent: more pieces wait in the streams (and beside them, `more`) than worker processes wait
-- for one, and no wake-up is on its way.
local function wake_wanted(streams, idle, wakeups, more)
  if redis.call('LLEN', wakeups) > 0 then return 0 end
  local wanting = waiting(streams[1]) + waiting(streams[2]) + (more or 0)
  if wanting == 0 then return 0 end
  return wanting > redis.call('ZCOUNT', idle, now() * 1000, '+inf') and 1 or 0
end

local function add_piece(stream, ttl, id, field, value)
  ensure_group(stream, ttl)
  redis.call('XADD', stream, '*', 'job', id, field, value)
  redis.call('EXPIRE', stream, ttl)
end

-- Writes the fields of a table into a hash: few commands, which Redis also has to write into its file.
local function write_fields(key, fields)
  local flat = {}
  for field, value in pairs(fields) do
    flat[#flat + 1] = field
    flat[#flat + 1] = value
    if #flat == 1000 then
      redis.call('HSET', key, unpack(flat))
      flat = {}
    end
  end
  if #flat > 0 then redis.call('HSET', key, unpack(flat)) end
end

-- Takes an entry that is done, or that nobody wants, out of its stream.
local function remove_entry(stream, entry)
  redis.call('XACK', stream, GROUP, entry)
  redis.call('XDEL', stream, entry)
end

-- Puts planned pieces of a job into the stream until its window is full. `job` is as read_job gives it.
local function top_up(stream, ttl, key, id, job)
  local added, in_stream = job.added, job.total - job.done - (job.planned - job.added)
  while added < job.planned and in_stream < job.window do
    add_piece(stream, ttl, id, 'piece', added)
    added, in_stream = added + 1, in_stream + 1
  end
  if added > job.added then redis.call('HSET', key, 'added', added) end
end

-- Brings a job that has not ended to a terminal state. `job` is as read_job gives it. Watchers are told the job's id, or,
-- if `result` is given, JSON {id, started, finished, result}.
local function end_job(key, id, status, job, open, load, result)
  local finished = now()
  redis.call('HSET', key, 'status', status, 'finished', finished)
  redis.call('UNLINK', key .. ':pieces', key .. ':parts')
  if status ~= 'succeeded' then redis.call('UNLINK', key .. ':results') end
  if status == 'cancelled' then redis.call('UNLINK', key .. ':texts') end
  for _, each in ipairs({key, key .. ':texts', key .. ':results'}) do redis.call('EXPIRE', each, job.ttl) end
  if job.idempotency then redis.call('EXPIRE', job.idempotency, job.ttl) end
  redis.call('ZREM', open, id)
  if job.done < job.total then redis.call('HINCRBY', load, 'pieces', job.done - job.total) end
  redis.call('HINCRBY', load, 'bytes', 0 - job.bytes)  -- minus zero is no integer to Redis
  local message = result and cjson.encode({id = id, started = job.started, finished = finished, result = result}) or id
  for channel in string.gmatch(job.watchers or '', '%S+') do
    -- A user without the right to publish ends jobs all the same: whoever waits looks at the record by and by.
    redis.pcall('PUBLISH', channel, message)
  end
end

-- What the scripts need of a record: its fields, and for each number what a record of the former schema, which lacks it,
-- stands for.
local FIELDS = {'status', 'lane', 'started', 'idempotency', 'watchers', 'done', 'total', 'window', 'cut', 'texts', 'failed',
                'bytes', 'ttl', 'planned', 'added', 'numbered'}
local NUMBERS = {done = 0, total = 0, window = 64, cut = 0, texts = -1, failed = 0, bytes = 0, ttl = 3600}

-- These fields of a record by name, numbers as numbers; nil where there is no record.
local function read_job(key)
  local values = redis.call('HMGET', key, unpack(FIELDS))
  if not values[1] then return nil end
  local job = {}
  for i, field in ipairs(FIELDS) do job[field] = values[i] or nil end
  for field, default in pairs(NUMBERS) do job[field] = tonumber(job[field]) or default end
  job.planned = tonumber(job.planned) or job.total
  job.added = tonumber(job.added) or job.total
  job.numbered = tonumber(job.numbered) or job.total
  return job
end
