-- Somebody decides what became of a batch's unconfirmed messages.
-- KEYS[1] campaign hash  KEYS[2] batch state  KEYS[3] batch outcomes  KEYS[4] codes
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] campaign  ARGV[4] batch n  ARGV[5] the batch's state as the caller read it
-- ARGV[6] unconfirmed messages as the caller read them  ARGV[7] accepted or rejected  ARGV[8] all its outcomes, packed
-- ARGV[9] code and words, for rejected ones
-- Returns "resolved" or "changed" (read it again).
-- Invariant: only unconfirmed messages change, once; no late answer of the attempt can correct them any more.
-- Called by: worker.ledger.resolving.resolve
-- joined: clock offer campaign again
local now, prefix, id, n, count = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[6])
local s = redis.call('HMGET', KEYS[2], 'state', 'attempt', 'expired', 'children', 'resolved', 'unconfirmed')
local seen = table.concat({s[1] or '', s[2] or '', s[3] or '', s[4] or '', s[5] or ''}, '|')
if seen ~= ARGV[5] or tonumber(s[6] or 0) ~= count then return 'changed' end
redis.call('SET', KEYS[3], ARGV[8])
redis.call('HSET', KEYS[2], 'expired', 0, 'unconfirmed', 0)
redis.call('HINCRBY', KEYS[2], 'resolved', 1)
redis.call('HINCRBY', KEYS[1], 'unconfirmed', -count)
redis.call('HINCRBY', KEYS[1], ARGV[7], count)
if ARGV[7] == 'rejected' then redis.call('HINCRBY', KEYS[4], ARGV[9], count) end
forget_resend(prefix, id, n)
finish_when_done(prefix, id, now)
return 'resolved'
