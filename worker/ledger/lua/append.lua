-- Writes the next stretches of a campaign's input, all or none.
-- KEYS[1] campaign hash  KEYS[2] its queue
-- ARGV[1] token  ARGV[2] position (rows) before  ARGV[3] position after  ARGV[4] digest of all rows up to there
-- ARGV[5] invalid  ARGV[6] duplicate  ARGV[7] suppressed  ARGV[8] segments of the messages  ARGV[9] key prefix of batches;
-- then per stretch: ARGV messages, ARGV packed value
-- Returns 1 written, 0 lost (another producer has the campaign, or it was cancelled).
-- Invariant: rows are appended once, in order: the stored position and the token both match, or nothing happens.
-- Called by: worker.ledger.production.append
local c = redis.call('HMGET', KEYS[1], 'state', 'token', 'position', 'stretches')
if c[1] ~= 'producing' or c[2] ~= ARGV[1] or c[3] ~= ARGV[2] then return 0 end
local n, queued, batches = tonumber(c[4]), 0, 0
for i = 10, #ARGV, 2 do
  n = n + 1
  local messages = tonumber(ARGV[i])
  redis.call('SET', ARGV[9] .. n, ARGV[i + 1])
  if messages > 0 then
    redis.call('RPUSH', KEYS[2], n)
    queued, batches = queued + messages, batches + 1
  end
end
redis.call('HSET', KEYS[1], 'position', ARGV[3], 'digest', ARGV[4], 'stretches', n)
redis.call('HINCRBY', KEYS[1], 'rows', tonumber(ARGV[3]) - tonumber(ARGV[2]))
redis.call('HINCRBY', KEYS[1], 'invalid', ARGV[5])
redis.call('HINCRBY', KEYS[1], 'duplicate', ARGV[6])
redis.call('HINCRBY', KEYS[1], 'suppressed', ARGV[7])
redis.call('HINCRBY', KEYS[1], 'queued', queued)
redis.call('HINCRBY', KEYS[1], 'pending', queued)
redis.call('HINCRBY', KEYS[1], 'segments', ARGV[8])
redis.call('HINCRBY', KEYS[1], 'batches', batches)
return 1
