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
-- joined: clock messages outcomes offer campaign again numbers recent left
local now, prefix, most = clock(ARGV[1]), ARGV[2], ARGV[5]
redis.call('ZADD', KEYS[4], now + tonumber(ARGV[4]), ARGV[3])
local past = tonumber(redis.call('HGET', KEYS[1], 'swept_at') or now)
if past < now and now - past < 950000 then return {0} end
redis.call('HSET', KEYS[1], 'swept_at', now)
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)

-- After a clock step back nothing lies further ahead than its full length.
local function cut(key, latest)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, string.format('(%.0f', latest), '+inf')) do
    redis.call('ZADD', key, latest, member)
  end
end
local longest = tonumber(redis.call('HGET', KEYS[1], 'longest') or 0)
cut(KEYS[2], now + longest)
cut(prefix .. 'resends', now + longest)
cut(KEYS[4], now + tonumber(ARGV[4]))
-- Nor are hours known that were renewed while the clock was ahead.
if past > now then cut(prefix .. 'hours', now) end

local gap = math.min(now - past - 1000000, 60000000)
if gap > 2000000 then
  for _, key in ipairs({KEYS[2], prefix .. 'resends'}) do
    for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZINCRBY', key, gap, member) end
  end
end

-- expire: the batch of an attempt is unconfirmed. A holder that does not know what it holds may still give it back.
local function expire(account, attempt)
  local attempts = prefix .. 'lane:' .. account .. ':attempts'
  local held = redis.call('HGET', attempts, attempt)
  if not held then return end
  local id, n, size, taken = string.match(held, '^(%S+) (%S+) %S+ (%S+) (%S+)')
  local key = prefix .. 'c:' .. id
  redis.call('HDEL', attempts, attempt)
  redis.call('SET', prefix .. 'expired:' .. attempt, id .. ' ' .. n, 'EX', 3600)
  redis.call('HINCRBY', key, 'in_flight', -tonumber(size))
  redis.call('HINCRBY', key, 'calls', 1)
  local unconfirmed = count_outcomes(key, n, string.rep('u', tonumber(size)), 1)
  remember_sent(prefix, key, n, string.rep('u', tonumber(size)), tonumber(ARGV[6]), tonumber(taken))
  redis.call('HSET', key .. ':s:' .. n, 'state', 'settled', 'expired', 1, 'expired_at', now, 'attempts', 1,
    'unconfirmed', unconfirmed)
  -- The process that holds it may only sleep: one more expiry, in which its own answer may come.
  if unconfirmed > 0 then plan_resend(prefix, id, n, now + longest) end
  finish_when_done(prefix, id, now)
end
local expired = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, most)
for _, member in ipairs(expired) do
  redis.call('ZREM', KEYS[2], member)
  expire(string.match(member, '^(%S+) (%S+)$'))
end

-- A lane is due later only while it pauses or until it is probed: what a clock step has moved too far ahead is looked at again by a take.
for _, account in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], string.format('(%.0f', now), '+inf', 'LIMIT', 0, most)) do
  local lane = redis.call('HMGET', prefix .. 'lane:' .. account, 'paused_until', 'pause_us', 'probe_at', 'probe_us', 'state')
  local latest = math.min(tonumber(lane[1] or 0), now + tonumber(lane[2] or 0))
  if lane[5] == 'held' then
    latest = math.max(latest, math.min(tonumber(lane[3] or 0), now + tonumber(lane[4] or 0)))
  end
  if tonumber(redis.call('ZSCORE', KEYS[3], account)) > latest then redis.call('ZADD', KEYS[3], now, account) end
end

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
