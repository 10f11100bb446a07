-- Joined into other scripts: the account's throttle as a function of time, and what a verdict does to a lane.
-- Lane fields: state, reason, paused_until, pause_us, factor, refused, slow_at, backoff, careful, streak, changed_at.
-- Invariants: a pause only grows until `account open`; the factor is halved at most once a pause, never below 1/64;
-- a verdict on an attempt taken before `changed_at` may lengthen a running pause and does nothing else to the lane.

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

-- pause: nothing goes before now + length; a longer pause that runs already stays.
local function pause(key, now, length)
  local ends = number(redis.call('HGET', key, 'paused_until'), 0)
  ends = math.max(ends, now + length)
  redis.call('HSET', key, 'paused_until', ends, 'pause_us', ends - now)
  return ends
end

-- own_backoff: 1, 2, 4 … 64 s, of which a random half (`spread`, 0 to 1), and one step further next time.
local function own_backoff(key, spread)
  local step = math.min(redis.call('HINCRBY', key, 'backoff', 1) - 1, 6)
  return math.floor(1000000 * 2 ^ step * (0.5 + 0.5 * spread))
end

local function hold(key, now, reason)
  if redis.call('HGET', key, 'state') == 'held' then return end
  redis.call('HSET', key, 'state', 'held', 'reason', reason, 'changed_at', now)
end

-- verdict: kind is ok | throttled | unsent | hold | lost | none. `pause_us` is what the gateway asked for (0: nothing).
local function verdict(key, kind, now, taken, reason, pause_us, spread, lost_limit)
  if kind == 'none' then return end
  local lane = redis.call('HMGET', key, 'changed_at', 'paused_until', 'factor', 'refused', 'slow_at')
  if taken < number(lane[1], 0) then
    if kind == 'throttled' and pause_us > 0 and number(lane[2], 0) > now then pause(key, now, pause_us) end
    return
  end
  if kind == 'lost' then
    redis.call('HSET', key, 'careful', 1)
    if redis.call('HINCRBY', key, 'streak', 1) >= lost_limit then hold(key, now, reason) end
    return
  end
  redis.call('HSET', key, 'careful', 0, 'streak', 0)
  if kind == 'hold' then return hold(key, now, reason) end
  if kind == 'ok' then
    redis.call('HSET', key, 'backoff', 0)
    if pause_us > 0 then
      pause(key, now, pause_us)
      redis.call('HSET', key, 'changed_at', now, 'pause_reason', reason)
    end
    return
  end
  local ends = pause(key, now, pause_us > 0 and pause_us or own_backoff(key, spread))
  redis.call('HSET', key, 'changed_at', now, 'pause_reason', reason)
  if kind ~= 'throttled' then return end
  local refused = speed(number(lane[3], 1), number(lane[4], 1), number(lane[5], 0), now)
  redis.call('HSET', key, 'factor', math.max(refused / 2, 1 / 64), 'refused', refused, 'slow_at', ends)
end
