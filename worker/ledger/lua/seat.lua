-- Takes or renews the right to serve a lane, and settles which ceiling holds.
-- KEYS[1] lane  KEYS[2] its seats  KEYS[3] its ceilings by worker  KEYS[4] live workers  KEYS[5] its problems by worker
-- ARGV[1] now us  ARGV[2] owner  ARGV[3] seat length us  ARGV[4] calls a second that one seat serves
-- ARGV[5] take, or renew: only a seat that is held
-- Returns {1, concurrency, us between calls} seated, or {0}.
-- Invariant: a seat is a member with an expiry, never a count; at most as many live ones as the ceiling needs. Where
-- live workers' files disagree on a ceiling, the lowest holds.
-- Called by: worker.ledger.seats.take_seat, worker.ledger.seats.renew_seat
-- joined: clock
local now, owner, length = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local call_us, message_us, concurrency
local all = redis.call('HGETALL', KEYS[3])
for i = 1, #all, 2 do
  local alive = all[i] == owner or tonumber(redis.call('ZSCORE', KEYS[4], all[i]) or 0) > now
  if alive then
    local c, m, k = string.match(all[i + 1], '^(%S+) (%S+) (%S+)$')
    call_us = math.max(call_us or 0, tonumber(c))
    message_us = math.max(message_us or 0, tonumber(m))
    concurrency = math.min(concurrency or 1e9, tonumber(k))
  else
    redis.call('HDEL', KEYS[3], all[i])
    redis.call('HDEL', KEYS[5], all[i])
  end
end
if not call_us then return {0} end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
-- After a clock step back a seat would last too long: none lies further ahead than its full length.
for _, seat in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', now + length), '+inf')) do
  redis.call('ZADD', KEYS[2], now + length, seat)
end
local seats = math.max(1, math.ceil(1000000 / math.max(call_us, 1) / tonumber(ARGV[4])))
redis.call('HSET', KEYS[1], 'call_us', call_us, 'message_us', message_us, 'concurrency', concurrency, 'seats', seats)
if not redis.call('ZSCORE', KEYS[2], owner) then
  if ARGV[5] == 'renew' or redis.call('ZCARD', KEYS[2]) >= seats then return {0} end
  -- A drain starts: the ring was heard. A renewal says nothing of a ring for the lane's other seats.
  redis.call('HDEL', KEYS[1], 'ring_until', 'ring_us')
end
redis.call('ZADD', KEYS[2], now + length, owner)
redis.call('HDEL', KEYS[5], owner)
return {1, concurrency, string.format('%.0f', call_us)}
