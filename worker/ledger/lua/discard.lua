-- Forgets a campaign whose input turned out to be wrong before production was whole: nothing of it was ever sent.
-- KEYS[1] campaign hash  KEYS[2] its queue  KEYS[3] all campaigns
-- ARGV[1] id  ARGV[2] token
-- Returns the number of stretches whose packed values the caller removes, or -1 where the campaign is not its own.
-- Invariant: only a campaign that is producing, by the producer that has it.
-- Called by: worker.ledger.production.discard
local c = redis.call('HMGET', KEYS[1], 'state', 'token', 'stretches')
if c[1] ~= 'producing' or c[2] ~= ARGV[2] then return -1 end
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
return tonumber(c[3])
