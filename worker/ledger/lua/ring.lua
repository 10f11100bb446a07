-- Rings for lanes that are due and have too few seats: a process with room hears it, and serves them.
-- KEYS[1] lanes by due instant  KEYS[2] live workers
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] owner  ARGV[4] at most so many lanes, 0 to learn only whether any waits
-- Returns {1 if more lanes wait, else 0, account…}: those that wait longest first, none of which the owner has a seat in.
-- Invariant: one ring is outstanding per lane: a mark that the starting drain clears, and that expires after
-- 1, 2, 4 … 30 s. A lane that is named to nobody gets no mark.
-- Called by: worker.ledger.ringing.ring
-- joined: clock
local now, prefix, owner, most = clock(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local reply, workers, page = {0}, redis.call('ZCARD', KEYS[2]), 100

-- step: for how long the mark of a lane that waits lasts; nil where the lane is served, or rung for already.
local function step(lane)
  if tonumber(redis.call('ZSCORE', lane .. ':seats', owner) or 0) > now then return end
  local l = redis.call('HMGET', lane, 'seats', 'ring_until', 'ring_us')
  local until_us = tonumber(l[2] or 0)
  if until_us > now and until_us <= now + 30000000 then return end
  local live = redis.call('ZCOUNT', lane .. ':seats', string.format('(%.0f', now), string.format('%.0f', now + 5000000))
  if live >= math.min(tonumber(l[1] or 1), workers) then return end
  return math.min(tonumber(l[3] or 500000) * 2, 30000000)
end

for offset = 0, redis.call('ZCARD', KEYS[1]), page do
  for _, account in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', offset, page)) do
    local lane = prefix .. 'lane:' .. account
    local us = step(lane)
    if us and #reply > most then
      reply[1] = 1
      return reply
    elseif us then
      redis.call('HSET', lane, 'ring_until', now + us, 'ring_us', us)
      reply[#reply + 1] = account
    end
  end
end
return reply
