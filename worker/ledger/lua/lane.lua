-- Joined into other scripts, after pace: what a verdict does to a lane.
-- Lane fields: state, reason, probe_us, probe_at, pause_reason, careful, streak, changed_at, and those of pace.lua.
-- Invariants: the factor is halved at most once a pause, never below 1/64; a verdict on an attempt taken before
-- `changed_at` may lengthen a running pause and does nothing else to the lane.

-- is_stale: whether the attempt was taken before `since`, which lies ahead of `now` only if the clock stepped back.
local function is_stale(taken, since, now)
  return taken < since and (since <= now or taken > now)
end

-- hold: nothing goes until somebody opens the account. Where the reason may pass by itself (`probe_us`), one batch is
-- tried each so many microseconds: its success opens the account, and another reason takes the place of the first.
local function hold(key, now, reason, probe_us)
  local lane = redis.call('HMGET', key, 'state', 'probe_at')
  if lane[1] == 'held' and number(lane[2], 0) == 0 then return end
  local probe_at = probe_us > 0 and now + probe_us or 0
  redis.call('HSET', key, 'state', 'held', 'reason', reason, 'changed_at', now, 'probe_us', probe_us, 'probe_at', probe_at)
end

-- verdict: kind is ok | throttled | unsent | hold | lost | none. `pause_us` is what the gateway asked for (0: nothing);
-- of a hold, after how long one batch is tried (0: never).
local function verdict(key, kind, now, taken, reason, pause_us, spread, lost_limit)
  if kind == 'none' then return end
  local lane = redis.call('HMGET', key, 'changed_at', 'factor', 'refused', 'slow_at')
  if is_stale(taken, number(lane[1], 0), now) then
    if kind == 'throttled' and pause_us > 0 and pause_end(key, now) > now then pause(key, now, pause_us) end
    return
  end
  if kind == 'lost' then
    redis.call('HSET', key, 'careful', 1)
    if redis.call('HINCRBY', key, 'streak', 1) >= lost_limit then hold(key, now, reason, 0) end
    return
  end
  redis.call('HSET', key, 'careful', 0, 'streak', 0)
  if kind == 'hold' then return hold(key, now, reason, pause_us) end
  if kind == 'ok' then
    redis.call('HSET', key, 'backoff', 0)
    if number(redis.call('HGET', key, 'probe_at'), 0) > 0 then
      redis.call('HSET', key, 'state', 'open', 'reason', '', 'probe_at', 0, 'changed_at', now)
    end
    if pause_us > 0 then
      pause(key, now, pause_us)
      redis.call('HSET', key, 'changed_at', now, 'pause_reason', reason)
    end
    return
  end
  local ends = pause(key, now, pause_us > 0 and pause_us or own_backoff(key, spread))
  redis.call('HSET', key, 'changed_at', now, 'pause_reason', reason)
  if kind ~= 'throttled' then return end
  local refused = speed(number(lane[2], 1), number(lane[3], 1), number(lane[4], 0), now)
  redis.call('HSET', key, 'factor', math.max(refused / 2, 1 / 64), 'refused', refused, 'slow_at', ends)
end
