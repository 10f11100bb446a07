-- Gives a seat up, unless work is due.
-- KEYS[1] the lane's seats  KEYS[2] lanes by due instant
-- ARGV[1] now us  ARGV[2] account  ARGV[3] owner
-- Returns 1 left, 0 stay: something became due after the last take.
-- Invariant: no work becomes due unseen between a drain's last look and its end.
-- Called by: worker.ledger.seats.leave_seat
-- joined: clock
local now = clock(ARGV[1])
local due = redis.call('ZSCORE', KEYS[2], ARGV[2])
if due and tonumber(due) <= now then return 0 end
redis.call('ZREM', KEYS[1], ARGV[3])
return 1
