-- Joined into other scripts, after pace: how many more calls of a lane may be on the wire.

-- room_in: of `most` those that no attempt takes up; one whose owner's seat has expired takes up none.
local function room_in(attempts, seats, most, now)
  if redis.call('HLEN', attempts) < most then return most - redis.call('HLEN', attempts) end
  for _, attempt in ipairs(redis.call('HVALS', attempts)) do
    local holder = string.match(attempt, '^%S+ %S+ (%S+)')
    if number(redis.call('ZSCORE', seats, holder), 0) > now then most = most - 1 end
  end
  return most
end
