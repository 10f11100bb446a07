-- Renews a campaign's sending hours: those of now, or the next ones.
-- KEYS[1] campaign hash
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] id  ARGV[4] us they open  ARGV[5] us they close, from then on nothing goes
-- Returns 1 open, 0 closed (or no such campaign).
-- Invariant: a campaign outside its hours stands in no lane; it is looked at again when they open, and when they close.
-- Called by: worker.ledger.timing.set_hours
-- joined: clock offer
local now, prefix, id, opens, closes = clock(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local c = redis.call('HMGET', KEYS[1], 'state', 'accounts', 'pending')
redis.call('ZREM', prefix .. 'hours', id)
if not c[1] or c[1] == 'finished' or c[1] == 'cancelled' then return 0 end
redis.call('HSET', KEYS[1], 'opens', ARGV[4], 'closes', ARGV[5])
local is_open = opens <= now and now < closes
if not is_open then withdraw(prefix, id, c[2]) end
if c[1] == 'running' then offer(prefix, id, c[2], now) end
return is_open and 1 or 0
