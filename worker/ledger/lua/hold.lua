-- An operator holds an account: no campaign takes from its lane until it is opened.
-- KEYS[1] lane  KEYS[2] lanes by due instant
-- ARGV[1] now us  ARGV[2] account  ARGV[3] reason
-- Returns 1.
-- Invariant: after this script no take gives a batch of the lane.
-- Called by: worker.ledger.operating.hold_account
-- joined: clock
redis.call('HSET', KEYS[1], 'state', 'held', 'reason', ARGV[3], 'changed_at', clock(ARGV[1]), 'probe_at', 0)
redis.call('ZREM', KEYS[2], ARGV[2])
return 1
