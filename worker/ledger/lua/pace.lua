-- Joined into other scripts: an account's throttle as a function of time, and its pauses.
-- Lane fields: paused_until, pause_us, factor, refused, slow_at, backoff.
-- Invariants: a pause only grows until `account open`; after the server's clock stepped back, none lies further ahead
-- than its own full length.

-- speed: the share of the ceiling allowed at `now`. After a refusal it creeps to 95 % of the refused share in 10 s,
-- then by 1 % of the ceiling per 10 s.
local function speed(factor, refused, slow_at, now)
  if factor >= 1 then return 1 end
  local tens = math.max(0, (now - slow_at) / 10000000)
  local knee = math.max(factor, 0.95 * refused)
  if tens < 1 then return factor + (knee - factor) * tens end
  return math.min(1, knee + 0.01 * (tens - 1))
end

local function number(text, default) return tonumber(text or default) or default end

-- pause_end: the instant at which the lane's pause ends or ended. A cut is written, or it would move on with `now`.
local function pause_end(key, now)
  local lane = redis.call('HMGET', key, 'paused_until', 'pause_us', 'slow_at')
  local ends, latest = number(lane[1], 0), now + number(lane[2], 0)
  if ends > latest then
    ends = latest
    redis.call('HSET', key, 'paused_until', ends)
  end
  if number(lane[3], 0) > latest then redis.call('HSET', key, 'slow_at', latest) end
  return ends
end

-- pause: nothing goes before now + length; a longer pause that runs already stays. The creep begins when it ends.
local function pause(key, now, length)
  local before = pause_end(key, now)
  local ends = math.max(before, now + length)
  redis.call('HSET', key, 'paused_until', ends, 'pause_us', ends - now)
  if before > now and number(redis.call('HGET', key, 'slow_at'), 0) == before then
    redis.call('HSET', key, 'slow_at', ends)
  end
  return ends
end

-- own_backoff: 1, 2, 4 … 64 s, of which a random half (`spread`, 0 to 1), and one step further next time.
local function own_backoff(key, spread)
  local step = math.min(redis.call('HINCRBY', key, 'backoff', 1) - 1, 6)
  return math.floor(1000000 * 2 ^ step * (0.5 + 0.5 * spread))
end
