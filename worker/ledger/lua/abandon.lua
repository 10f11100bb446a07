-- Gives a seat up whatever is due: its process stops, or another lane has the place.
-- KEYS[1] the lane's seats  KEYS[2] lanes by due instant
-- ARGV[1] now us  ARGV[2] account  ARGV[3] owner
-- Returns 1.
-- Invariant: lanes are rung for in the order in which they became due, so this one waits behind those that wait already.
-- Called by: worker.ledger.seats.abandon_seat
-- joined: clock
redis.call('ZREM', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], 'XX', 'GT', clock(ARGV[1]), ARGV[2])
return 1
