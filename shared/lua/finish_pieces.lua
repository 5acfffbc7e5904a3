-- Writes the results of pieces and counts them done, each once however often it runs. A bulk job's next piece comes into
-- the stream; a job ends with its last piece, or is assembled first if texts of it were cut.
--
-- KEYS  interactive, bulk (the streams), open, load
-- ARGV  JSON {ttl, job_prefix, pieces: list of {lane, entry, job, number, results (object), parts (object), failed (how
--       many of the results are errors), error (the first of those)}}
-- Returns for each piece the state of its job: 'running' | 'assembling' | 'succeeded' | 'failed' | 'ended' (before, or
-- expired: nothing was wanted)
local streams, open, load = {KEYS[1], KEYS[2]}, KEYS[3], KEYS[4]
local ask = cjson.decode(ARGV[1])

local function finish(piece)
  remove_entry(streams[piece.lane], piece.entry)
  local key = ask.job_prefix .. piece.job
  local job = read_job(key)
  if not job or TERMINAL[job.status] then return 'ended' end
  if redis.call('HDEL', key .. ':pieces', piece.number) == 0 then return 'running' end  -- it was done before

  for part, fields in pairs({[':results'] = piece.results, [':parts'] = piece.parts}) do
    write_fields(key .. part, fields)
    if job.done + 1 < job.total or job.cut > 0 then redis.call('EXPIRE', key .. part, ask.ttl) end
  end
  job.done = redis.call('HINCRBY', key, 'done', 1)
  redis.call('HINCRBY', load, 'pieces', -1)
  if piece.failed > 0 then
    job.failed = redis.call('HINCRBY', key, 'failed', piece.failed)
    redis.call('HSETNX', key, 'error', piece.error)
  end
  if job.done < job.total then
    top_up(streams[piece.lane], ask.ttl, key, piece.job, job)
    return 'running'
  end
  if job.cut > 0 then
    add_piece(streams[piece.lane], ask.ttl, piece.job, 'kind', 'assemble')
    return 'assembling'
  end
  local status = job.failed == job.texts and 'failed' or 'succeeded'
  local told = nil
  if status == 'succeeded' and job.texts == 1 and job.started then
    local _, result = next(piece.results)
    -- Whoever waits for a single text need not ask Redis again.
    if result and #result <= MESSAGE_LIMIT then told = result end
  end
  end_job(key, piece.job, status, job, open, load, told)
  return status
end

local states = {}
for i, piece in ipairs(ask.pieces) do states[i] = finish(piece) end
return states
