-- Joined into other scripts, after pace: a lane as a take finds it, and its slots, spaced by both its ceilings.
-- Lane fields: those of pace.lua and lane.lua; call_us, message_us: microseconds between two calls, and between two messages,
-- at full speed (seat.lua); call_at, message_at, message_n: the last slot given, and how many messages it was for; served:
-- batches given so far.

local function lane_of(key)
  local l = redis.call('HMGET', key, 'state', 'factor', 'refused', 'slow_at', 'careful', 'concurrency', 'call_us',
    'message_us', 'call_at', 'message_at', 'message_n', 'probe_at', 'probe_us', 'served')
  return {is_held = l[1] == 'held', factor = number(l[2], 1), refused = number(l[3], 1), slow_at = number(l[4], 0),
    is_careful = l[5] == '1', concurrency = number(l[6], 1), call_us = number(l[7], 0), message_us = number(l[8], 0),
    call_at = number(l[9], 0), message_at = number(l[10], 0), message_n = number(l[11], 0), probe_at = number(l[12], 0),
    probe_us = number(l[13], 0), served = number(l[14], 0)}
end

-- space_slots: from here on the lane's slots lie as far apart as its speed at `now` says. After the server's clock stepped
-- back none that was given lies beyond the look-ahead. A cut is written, or it would move on with `now`.
local function space_slots(key, lane, now, horizon)
  local share = speed(lane.factor, lane.refused, lane.slow_at, now)
  lane.call_us, lane.message_us = lane.call_us / share, lane.message_us / share
  if lane.call_at > horizon or lane.message_at > horizon then
    lane.call_at, lane.message_at = math.min(lane.call_at, horizon), math.min(lane.message_at, horizon)
    redis.call('HSET', key, 'call_at', lane.call_at, 'message_at', lane.message_at)
  end
end

local function next_slot(lane, earliest)
  return math.max(earliest, lane.call_at + lane.call_us, lane.message_at + lane.message_n * lane.message_us)
end
