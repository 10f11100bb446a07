-- An operator lets a campaign go on, at once: one that is paused, or out of which accounts were taken.
-- KEYS[1] campaign hash
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] id
-- Returns the state after it, or "" where there is no such campaign.
-- A campaign whose time has not come is scheduled again. Accounts that were taken out of it are its own again.
-- Invariant: verdicts on attempts from before the resume can not pause the campaign again.
-- Called by: worker.ledger.operating.resume
-- joined: clock offer campaign
local now = clock(ARGV[1])
local c = redis.call('HMGET', KEYS[1], 'state', 'accounts', 'starts_at', 'out', 'hours')
if not c[1] then return '' end
if c[1] == 'producing' then redis.call('HSET', KEYS[1], 'hold', '', 'reason', '') end
if c[1] == 'paused' or (c[1] == 'running' and c[4] ~= '') then
  c[1] = c[1] == 'paused' and tonumber(c[3]) > now and 'scheduled' or 'running'
  -- The sweep may have passed its start while it was paused, and the clock stepped back since.
  if c[1] == 'scheduled' then redis.call('ZADD', ARGV[2] .. 'starts', c[3], ARGV[3]) end
  redis.call('HSET', KEYS[1], 'state', c[1], 'reason', '', 'resumed_at', now, 'refusals', 0, 'lately', '', 'out', '')
  -- They may have been renewed while it was paused and the clock was ahead.
  if c[5] == '1' then redis.call('ZADD', ARGV[2] .. 'hours', now, ARGV[3]) end
end
if c[1] == 'running' then
  offer(ARGV[2], ARGV[3], c[2], now)
  finish_when_done(ARGV[2], ARGV[3], now)
end
return redis.call('HGET', KEYS[1], 'state')
