-- An operator lets a paused campaign go on, at once.
-- KEYS[1] campaign hash
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] id
-- Returns the state after it, or "" where there is no such campaign.
-- Invariant: verdicts on attempts from before the resume can not pause the campaign again.
-- Called by: worker.ledger.operating.resume
-- joined: clock campaign
local now = clock(ARGV[1])
local c = redis.call('HMGET', KEYS[1], 'state', 'accounts')
if not c[1] then return '' end
if c[1] == 'producing' then redis.call('HSET', KEYS[1], 'hold', '', 'reason', '') end
if c[1] == 'paused' then
  redis.call('HSET', KEYS[1], 'state', 'running', 'reason', '', 'resumed_at', now, 'refusals', 0, 'lately', '')
  c[1] = 'running'
end
if c[1] == 'running' then
  offer(ARGV[2], ARGV[3], c[2], now)
  finish_when_done(ARGV[2], ARGV[3], now)
end
return redis.call('HGET', KEYS[1], 'state')
