-- Writes what an operator says of a schedule.
-- KEYS[1] schedule hash  KEYS[2] all schedules
-- ARGV[1] name  ARGV[2] us at which a worker looks at it by itself  ARGV[3…] field, value, …
-- Returns 1, or 0 where there is no such schedule.
-- Invariant: nothing makes a schedule but its document.
-- Called by: worker.ledger.schedules.pause and resume
if redis.call('HEXISTS', KEYS[1], 'doc') == 0 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
return 1
