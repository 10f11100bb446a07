-- Names the schedules for which something should have happened by now, and nothing did: bells that nobody heard, runs
-- whose process died.
-- KEYS[1] all schedules
-- ARGV[1] now us  ARGV[2] us until each is named again  ARGV[3] at most so many
-- Returns {name…}, those that wait longest first.
-- Invariant: one ring is outstanding per schedule.
-- Called by: worker.ledger.schedules.overdue
-- joined: clock
local now = clock(ARGV[1])
local names = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[3])
for _, name in ipairs(names) do
  redis.call('ZADD', KEYS[1], now + ARGV[2], name)
end
return names
