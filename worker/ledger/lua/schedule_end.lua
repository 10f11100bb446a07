-- Writes what a run came to, or that it was broken off and waits for somebody to go on with it.
-- KEYS[1] schedule hash  KEYS[2] all schedules
-- ARGV[1] now us  ARGV[2] name  ARGV[3] token  ARGV[4] run's id  ARGV[5] outcome: started, failed, skipped, interrupted
-- ARGV[6] reason in words, or ""  ARGV[7] us at which a worker looks at it by itself
-- Returns 1, or 0 where another has the run, or the schedule was removed.
-- Invariant: `done` only grows; an interrupted run stays the schedule's next.
-- Called by: worker.ledger.schedules.end
-- joined: clock
local now = clock(ARGV[1])
local s = redis.call('HMGET', KEYS[1], 'token', 'run_due', 'done', 'paused')
if s[1] ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'last_due', s[2], 'last_id', ARGV[4], 'last_at', now, 'last_outcome', ARGV[5],
  'last_reason', ARGV[6])
redis.call('HDEL', KEYS[1], 'token', 'until')
if ARGV[5] ~= 'interrupted' then
  redis.call('HDEL', KEYS[1], 'run_due')
  if tonumber(s[2]) > tonumber(s[3]) then redis.call('HSET', KEYS[1], 'done', s[2]) end
end
redis.call('ZADD', KEYS[2], s[4] and s[4] ~= '' and '+inf' or ARGV[7], ARGV[2])
return 1
