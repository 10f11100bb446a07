-- Keeps reports about a batch that name a message by an id which is not known yet.
-- KEYS[1] the batch's early reports
-- ARGV[1] prefix  ARGV[2] campaign  ARGV[3] batch n  ARGV[4] at most so many are kept; then the reports, as JSON
-- Returns how many of them are new.
-- Invariant: new ones are looked at once more, for their ids may have become known since the caller looked.
-- Called by: worker.ledger.unmatched.keep_early
-- joined: early
local added = 0
for i = 5, #ARGV do
  if redis.call('SCARD', KEYS[1]) < tonumber(ARGV[4]) then added = added + redis.call('SADD', KEYS[1], ARGV[i]) end
end
redis.call('EXPIRE', KEYS[1], 86400)
if added > 0 then look_again(ARGV[1], ARGV[2], ARGV[3]) end
return added
