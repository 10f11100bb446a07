-- The gateway could not be reached before anything was taken: the lane backs off.
-- KEYS[1] lane
-- ARGV[1] now us  ARGV[2] instant at which the attempt to connect began, us, or 0 for now
-- ARGV[3] words  ARGV[4] spread 0 to 1
-- Returns the instant at which the pause ends, us.
-- Invariant: as in lane.lua; no batch is touched.
-- Called by: worker.ledger.settling.back_off
-- joined: clock pace lane
local now = clock(ARGV[1])
local began = tonumber(ARGV[2])
verdict(KEYS[1], 'unsent', now, began == 0 and now or began, ARGV[3], 0, tonumber(ARGV[4]), 0)
return redis.call('HGET', KEYS[1], 'paused_until')
