-- Joined into other scripts, after numbers: whom any campaign has messaged lately, for a frequency cap.
-- PREFIX sent:D:B (hash): number → minute of day D (days since the epoch, UTC) at which it was messaged last; 'u' .. number →
-- ' MINUTE ' for each attempt at it that expired, so that it may have been. B is the remainder of the number by 16384. Up to
-- 512 fields in one lie packed in Redis, some 14 bytes a number: eight million a day.
-- A hash expires when the last of its day has been kept for the most hours that anybody asked for who wrote to it.
-- Invariant: whoever is remembered counts as recent for all of the hours asked for, and at most a minute longer.
local DAY_US, MINUTE_US = 86400000000, 60000000

local function day_and_minute(at) return math.floor(at / DAY_US), math.floor(at % DAY_US / MINUTE_US) end

local function sent_key(prefix, day, number) return prefix .. 'sent:' .. day .. ':' .. number % 16384 end

-- write_certain: what is told late of an earlier call does not hide a later one.
local function write_certain(key, number, minute)
  if minute > tonumber(redis.call('HGET', key, number) or -1) then redis.call('HSET', key, number, minute) end
end
local function write_presumed(key, number, minute)
  redis.call('HSET', key, 'u' .. number, (redis.call('HGET', key, 'u' .. number) or '') .. ' ' .. minute .. ' ')
end

-- remember: the messages at these positions ({position → anything but false}; nil: all) have left at `at`, or may have:
-- `write` is one of the two above. `hours` is how long they are remembered; 0 remembers nobody.
local function remember(prefix, hours, at, packed, positions, write)
  if hours == 0 then return end
  local day, minute = day_and_minute(at)
  local kept_s = math.ceil(((day + 1) * DAY_US - at) / 1000000) + hours * 3600
  for position, number in each_number(packed) do
    if not positions or positions[position] then
      local key = sent_key(prefix, day, number)
      write(key, number, minute)
      if redis.call('TTL', key) < kept_s then redis.call('EXPIRE', key, kept_s) end
    end
  end
end

-- last_minute: the latest of the certain minute and the presumed ones, or -1.
local function last_minute(certain, presumed)
  local last = tonumber(certain or -1)
  for minute in string.gmatch(presumed or '', '%d+') do last = math.max(last, tonumber(minute)) end
  return last
end

-- recent_positions: {position → "recent@HOURS"} of the messages whose numbers were messaged within so many hours (0: of
-- none), and how many they are.
local function recent_positions(prefix, hours, now, packed)
  local found, count = {}, 0
  if hours == 0 then return found, 0 end
  local first, first_minute = day_and_minute(now - hours * 3600000000)
  local last = day_and_minute(now)
  for position, number in each_number(packed) do
    for day = last, first, -1 do
      local sent = redis.call('HMGET', sent_key(prefix, day, number), number, 'u' .. number)
      if last_minute(sent[1], sent[2]) >= (day > first and 0 or first_minute) then
        found[position], count = 'recent@' .. hours, count + 1
        break
      end
    end
  end
  return found, count
end
