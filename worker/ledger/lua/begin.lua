-- Opens the production of a campaign, or takes an interrupted one over.
-- KEYS[1] campaign hash  KEYS[2] all campaigns
-- ARGV[1] now us  ARGV[2] id  ARGV[3] producer's token  ARGV[4] digest of the campaign file  ARGV[5] campaign JSON
-- ARGV[6] name  ARGV[7] accounts, blank-separated  ARGV[8] 1 where unconfirmed messages are sent once more
-- ARGV[9] priority: 0 high, 1 normal, 2 low  ARGV[10] us before which nothing goes, or 0  ARGV[11] us from which nothing
-- goes any more, or 0  ARGV[12] 1 where it has sending hours  ARGV[13] its sender, or "" or "*"
-- (see lists.lua)  ARGV[14] 1 where it is promotional  ARGV[15] hours within which nobody is messaged again, 0: no
-- cap
-- Returns {"new"}, {"continue", position, digest}, {"done", state} or {"differs"}.
-- Invariant: one token at a time may append; the newest producer has it. A whole campaign is never changed.
-- Called by: worker.ledger.production.begin
-- joined: clock
local now = clock(ARGV[1])
local c = redis.call('HMGET', KEYS[1], 'state', 'file', 'position', 'digest')
if not c[1] then
  redis.call('HSET', KEYS[1], 'state', 'producing', 'reason', '', 'token', ARGV[3], 'file', ARGV[4], 'doc', ARGV[5],
    'name', ARGV[6], 'accounts', ARGV[7], 'created_at', now, 'resumed_at', now, 'whole', 0, 'hold', '',
    'resend', ARGV[8], 'resends', 0, 'priority', ARGV[9], 'starts_at', ARGV[10], 'ends_at', ARGV[11], 'ended', 0,
    'hours', ARGV[12], 'opens', 0, 'closes', 0, 'out', '',
    'sender', ARGV[13], 'promotional', ARGV[14], 'not_before', ARGV[15],
    'position', 0, 'digest', '', 'stretches', 0, 'batches', 0, 'segments', 0,
    'rows', 0, 'invalid', 0, 'duplicate', 0, 'suppressed', 0, 'queued', 0, 'pending', 0, 'in_flight', 0,
    'accepted', 0, 'rejected', 0, 'unconfirmed', 0, 'expired', 0, 'cancelled', 0,
    'delivered', 0, 'undelivered', 0, 'calls', 0, 'throttled', 0)
  redis.call('ZADD', KEYS[2], now, ARGV[2])
  return {'new'}
end
if c[1] ~= 'producing' then return {'done', c[1]} end
if c[2] ~= ARGV[4] then return {'differs'} end
redis.call('HSET', KEYS[1], 'token', ARGV[3])
return {'continue', c[3], c[4]}
