-- Forgets a campaign whose input turned out to be wrong before production was whole: nothing of it was ever sent.
-- KEYS[1] campaign hash  KEYS[2] its queue  KEYS[3] all campaigns
-- ARGV[1] id  ARGV[2] token  ARGV[3] key prefix of batches
-- Returns 1 forgotten, 0 the campaign is not its own.
-- Invariant: only a campaign that is producing, by the producer that has it. All in one script: a producer that begins
-- the id anew right after it must not have its first stretches removed.
-- Called by: worker.ledger.production.discard
local c = redis.call('HMGET', KEYS[1], 'state', 'token', 'stretches')
if c[1] ~= 'producing' or c[2] ~= ARGV[2] then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
for n = 1, tonumber(c[3]) do redis.call('UNLINK', ARGV[3] .. n) end
return 1
