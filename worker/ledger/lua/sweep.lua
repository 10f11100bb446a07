-- The second hand: settles what dead workers held and finds what is due to be sent once more.
-- KEYS[1] clock  KEYS[2] all attempts by expiry  KEYS[3] lanes by due instant  KEYS[4] live workers
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] owner  ARGV[4] us that a worker counts as live  ARGV[5] at most so many at once
-- ARGV[6] hours for which it is remembered who was messaged
-- Returns {0} where another process swept within the second, else {1, expired batches, {"campaign n"…} due for their
-- resend, {campaign…} whose hours are to be renewed, reports that wait to be applied}. Starts and ends the campaigns whose
-- time has come.
-- Invariant: an attempt ends as unconfirmed only after its whole expiry, and is resent only after one more, lengthened
-- by the time in which nobody could settle (no sweep: Redis or every worker was away), at most 60 s. Never does it become
-- pending here.
-- Called by: worker.ledger.sweeping.sweep
-- joined: clock messages outcomes offer campaign again numbers recent left expire stepped
local now, prefix, most = clock(ARGV[1]), ARGV[2], ARGV[5]
redis.call('ZADD', KEYS[4], now + tonumber(ARGV[4]), ARGV[3])
local past = tonumber(redis.call('HGET', KEYS[1], 'swept_at') or now)
if past < now and now - past < 950000 then return {0} end
redis.call('HSET', KEYS[1], 'swept_at', now)
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)

local longest = tonumber(redis.call('HGET', KEYS[1], 'longest') or 0)
-- After a clock step back nothing lies further ahead than its full length.
cut(KEYS[2], now + longest)
cut(prefix .. 'resends', now + longest)
cut(KEYS[4], now + tonumber(ARGV[4]))
-- Nor are hours known that were renewed while the clock was ahead.
if past > now then cut(prefix .. 'hours', now) end

local gap = math.min(now - past - 1000000, 60000000)
if gap > 2000000 then
  lengthen(KEYS[2], gap)
  lengthen(prefix .. 'resends', gap)
end

local expired = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, most)
for _, member in ipairs(expired) do expire(prefix, KEYS[2], member, now, longest, tonumber(ARGV[6])) end
look_again_at_lanes(prefix, KEYS[3], now, most)

-- due: the campaigns whose instant has come, taken out of the set.
local function due(name)
  local found = redis.call('ZRANGEBYSCORE', prefix .. name, '-inf', now, 'LIMIT', 0, most)
  if #found > 0 then redis.call('ZREM', prefix .. name, unpack(found)) end
  return found
end
for _, id in ipairs(due('starts')) do
  local key = prefix .. 'c:' .. id
  if redis.call('HGET', key, 'state') == 'scheduled' then
    redis.call('HSET', key, 'state', 'running')
    offer(prefix, id, redis.call('HGET', key, 'accounts'), now)
    finish_when_done(prefix, id, now)
  end
end
for _, id in ipairs(due('ends')) do end_campaign(prefix, id, now) end
-- These stay until somebody has renewed them: whoever was told may die. But behind all others, so that some that nobody
-- can renew do not keep the rest from being named.
local hours = redis.call('ZRANGEBYSCORE', prefix .. 'hours', '-inf', now, 'LIMIT', 0, most)
for _, id in ipairs(hours) do redis.call('ZADD', prefix .. 'hours', now + 1, id) end

local resends = redis.call('ZRANGEBYSCORE', prefix .. 'resends', '-inf', now, 'LIMIT', 0, most)
return {1, #expired, resends, hours, redis.call('XLEN', prefix .. 'reports')}
