-- Production is whole: the campaign starts to send, waits for its time, waits paused (held), or is finished at once where
-- nothing is to send.
-- KEYS[1] campaign hash
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] id  ARGV[4] token  ARGV[5] position (rows)  ARGV[6] reason to start paused, or ""
-- ARGV[7] us its hours open  ARGV[8] us they close (0 0: it has none)
-- Returns the state, or "" where another producer has the campaign or it was cancelled.
-- Invariant: nothing of a campaign is sent before every row of its input is in the ledger.
-- Called by: worker.ledger.production.start
-- joined: clock offer campaign
local now, prefix, id = clock(ARGV[1]), ARGV[2], ARGV[3]
local c = redis.call('HMGET', KEYS[1], 'state', 'token', 'position', 'hold', 'accounts', 'starts_at', 'ends_at')
if c[1] ~= 'producing' or c[2] ~= ARGV[4] or c[3] ~= ARGV[5] then return '' end
local reason = ARGV[6] ~= '' and ARGV[6] or c[4]
local starts_at, ends_at = tonumber(c[6]), tonumber(c[7])
local state = reason ~= '' and 'paused' or starts_at > now and 'scheduled' or 'running'
redis.call('HSET', KEYS[1], 'whole', 1, 'state', state, 'reason', reason, 'started_at', now, 'opens', ARGV[7],
  'closes', ARGV[8])
if starts_at > now then redis.call('ZADD', prefix .. 'starts', starts_at, id) end
if ends_at > 0 then redis.call('ZADD', prefix .. 'ends', ends_at, id) end
if state == 'running' then offer(prefix, id, c[5], now) end
if ends_at > 0 and ends_at <= now then end_campaign(prefix, id, now) end
finish_when_done(prefix, id, now)
return redis.call('HGET', KEYS[1], 'state')
