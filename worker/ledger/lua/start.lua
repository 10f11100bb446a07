-- Production is whole: the campaign starts to send, waits paused (held), or is finished at once where nothing is to send.
-- KEYS[1] campaign hash
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] id  ARGV[4] token  ARGV[5] position (rows)  ARGV[6] reason to start paused, or ""
-- Returns the state, or "" where another producer has the campaign or it was cancelled.
-- Invariant: nothing of a campaign is sent before every row of its input is in the ledger.
-- Called by: worker.ledger.production.start
-- joined: clock campaign
local now = clock(ARGV[1])
local c = redis.call('HMGET', KEYS[1], 'state', 'token', 'position', 'hold', 'accounts')
if c[1] ~= 'producing' or c[2] ~= ARGV[4] or c[3] ~= ARGV[5] then return '' end
local reason = ARGV[6] ~= '' and ARGV[6] or c[4]
local state = reason ~= '' and 'paused' or 'running'
redis.call('HSET', KEYS[1], 'whole', 1, 'state', state, 'reason', reason, 'started_at', now)
if state == 'running' then offer(ARGV[2], ARGV[3], c[5], now) end
finish_when_done(ARGV[2], ARGV[3], now)
return redis.call('HGET', KEYS[1], 'state')
