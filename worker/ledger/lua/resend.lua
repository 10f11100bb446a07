-- The unconfirmed messages of a batch move to a new one, to be sent once more: what the campaign's file asked for, or
-- what somebody decides.
-- KEYS[1] campaign hash  KEYS[2] its queue  KEYS[3] batch state  KEYS[4] batches that are resends  KEYS[5] clock
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] campaign  ARGV[4] batch n  ARGV[5] attempt whose messages were read
-- ARGV[6] messages  ARGV[7] the packed new batch, or "" where the old one can not be read
-- ARGV[8] packed outcomes for an expired batch, which has none  ARGV[9] due, or asked: whether the campaign's file says so
-- or somebody
-- Returns "resent", "dropped" (they stay unconfirmed: the campaign is over, or the batch can not be read), "early"
-- (asked within one more expiry: the process that held it may only sleep) or "gone" (not due, or settled since).
-- Invariant: by itself at most one resend a message; it counts in the new batch from this script on, and no late answer
-- of the old attempt can correct it any more.
-- Called by: worker.ledger.resending.resend
-- joined: clock child offer campaign again
local now, prefix, id, n, size = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[6])
local s = redis.call('HMGET', KEYS[3], 'attempt', 'unconfirmed', 'expired', 'state', 'expired_at')
local unreadable = ARGV[7] == ''
if ARGV[9] == 'due' then
  local due = redis.call('ZSCORE', prefix .. 'resends', id .. ' ' .. n)
  if not due or tonumber(due) > now then return 'gone' end
elseif s[3] == '1' then
  -- After the server's clock stepped back it lies no further ahead than its full length, and where nobody wrote down when
  -- it expired it has the full length still. A cut is written, or it would move on with `now`.
  local expired_at = math.min(tonumber(s[5] or now), now)
  redis.call('HSET', KEYS[3], 'expired_at', expired_at)
  if expired_at + tonumber(redis.call('HGET', KEYS[5], 'longest')) > now then return 'early' end
end
if s[1] ~= ARGV[5] or s[4] ~= 'settled' then return 'gone' end
if not unreadable and (size == 0 or tonumber(s[2]) ~= size) then return 'gone' end
forget_resend(prefix, id, n)
if end_of(KEYS[1]) or unreadable then
  finish_when_done(prefix, id, now)
  return 'dropped'
end
local made = add_child(KEYS[1], n, ARGV[7])
redis.call('SADD', KEYS[4], made)
if s[3] == '1' then redis.call('SET', KEYS[1] .. ':o:' .. n, ARGV[8]) end
redis.call('HSET', KEYS[3], 'expired', 0, 'unconfirmed', 0)
redis.call('HINCRBY', KEYS[1], 'unconfirmed', -size)
redis.call('RPUSH', KEYS[2], made)
reopen(prefix, id, size, now)
return 'resent'
