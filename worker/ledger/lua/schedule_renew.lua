-- Whoever has a run says that it is at work.
-- KEYS[1] schedule hash  KEYS[2] all schedules
-- ARGV[1] now us  ARGV[2] name  ARGV[3] token  ARGV[4] us until which the claim holds from now
-- Returns 1, or 0 where another has the run, or the schedule was removed.
-- Invariant: only the holder of the token lengthens its claim.
-- Called by: worker.ledger.schedules.renew
-- joined: clock
local now = clock(ARGV[1])
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'until', now + ARGV[4])
redis.call('ZADD', KEYS[2], now + ARGV[4], ARGV[2])
return 1
