-- An operator opens an account: the hold, a running pause and the count of lost answers end.
-- KEYS[1] lane  KEYS[2] lanes by due instant
-- ARGV[1] now us  ARGV[2] account
-- Returns 1.
-- Invariant: verdicts on attempts from before this instant can not hold the account again. The throttled rate stays.
-- Called by: worker.ledger.operating.open_account
-- joined: clock
local now = clock(ARGV[1])
redis.call('HSET', KEYS[1], 'state', 'open', 'reason', '', 'changed_at', now, 'paused_until', 0, 'pause_us', 0,
  'pause_reason', '', 'backoff', 0, 'careful', 0, 'streak', 0, 'probe_at', 0)
redis.call('HDEL', KEYS[1], 'ring_until', 'ring_us')
redis.call('ZADD', KEYS[2], 'LT', now, ARGV[2])
return 1
