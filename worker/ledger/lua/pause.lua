-- An operator pauses a campaign: it bites between two batches.
-- KEYS[1] campaign hash
-- ARGV[1] prefix  ARGV[2] id  ARGV[3] reason
-- Returns the state after it, or "" where there is no such campaign.
-- Invariant: after this script no take gives a batch of the campaign until it is resumed.
-- Called by: worker.ledger.operating.pause
-- joined: offer
local c = redis.call('HMGET', KEYS[1], 'state', 'accounts', 'reason')
if not c[1] then return '' end
if c[1] == 'producing' then redis.call('HSET', KEYS[1], 'hold', ARGV[3], 'reason', ARGV[3]) end
if c[1] == 'running' or c[1] == 'scheduled' then
  redis.call('HSET', KEYS[1], 'state', 'paused', 'reason', ARGV[3])
  withdraw(ARGV[1], ARGV[2], c[2])
  return 'paused'
end
-- Paused already, by somebody or something else: both reasons count.
if c[1] == 'paused' and string.sub(c[3], 1, #ARGV[3]) ~= ARGV[3] then
  redis.call('HSET', KEYS[1], 'reason', ARGV[3] .. '; before that: ' .. c[3])
end
return c[1]
