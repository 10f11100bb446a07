-- The unconfirmed messages of a batch move to a new one, to be sent once more: what the campaign's file asked for.
-- KEYS[1] campaign hash  KEYS[2] its queue  KEYS[3] batch state  KEYS[4] batches that are resends
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] campaign  ARGV[4] batch n  ARGV[5] attempt whose messages were read
-- ARGV[6] messages  ARGV[7] the packed new batch, or "" where the old one can not be read
-- Returns "resent", "dropped" (they stay unconfirmed: the campaign was cancelled, or the batch can not be read) or
-- "gone" (not due, or settled since).
-- Invariant: at most one resend a message; it counts in the new batch from this script on, and no late answer of the
-- old attempt can correct it any more.
-- Called by: worker.ledger.resending.resend
-- joined: clock campaign again
local now, prefix, id, n, size = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[6])
local due = redis.call('ZSCORE', prefix .. 'resends', id .. ' ' .. n)
local s = redis.call('HMGET', KEYS[3], 'attempt', 'unconfirmed', 'expired')
local unreadable = ARGV[7] == ''
if not due or tonumber(due) > now or s[1] ~= ARGV[5] then return 'gone' end
if tonumber(s[2]) ~= size and not unreadable then return 'gone' end
forget_resend(prefix, id, n)
local c = redis.call('HMGET', KEYS[1], 'state', 'stretches')
if c[1] == 'cancelled' or unreadable then
  finish_when_done(prefix, id, now)
  return 'dropped'
end
local made = tonumber(c[2]) + redis.call('HINCRBY', KEYS[1], 'made', 1)
redis.call('SET', KEYS[1] .. ':b:' .. made, ARGV[7])
redis.call('SADD', KEYS[4], made)
-- An expired batch has no outcomes of its own: all of it has moved.
redis.call('HSET', KEYS[3], 'state', s[3] == '1' and 'moved' or 'settled', 'expired', 0, 'children', made)
redis.call('HINCRBY', KEYS[1], 'unconfirmed', -size)
redis.call('RPUSH', KEYS[2], made)
reopen(prefix, id, size, now)
return 'resent'
