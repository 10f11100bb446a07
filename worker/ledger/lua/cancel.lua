-- An operator cancels a campaign: what waits is cancelled now, what is on the wire still settles.
-- KEYS[1] campaign hash  KEYS[2] its queue
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] id  ARGV[4] reason
-- Returns the state after it, or "" where there is no such campaign.
-- Invariant: pending is 0 and stays 0; a producer at work loses its token.
-- Called by: worker.ledger.operating.cancel
-- joined: clock offer
local now = clock(ARGV[1])
local c = redis.call('HMGET', KEYS[1], 'state', 'accounts', 'pending')
if not c[1] then return '' end
if c[1] == 'finished' or c[1] == 'cancelled' then return c[1] end
redis.call('HSET', KEYS[1], 'state', 'cancelled', 'reason', ARGV[4], 'token', '', 'pending', 0, 'finished_at', now)
redis.call('HINCRBY', KEYS[1], 'cancelled', c[3])
redis.call('UNLINK', KEYS[2])
withdraw(ARGV[2], ARGV[3], c[2])
return 'cancelled'
