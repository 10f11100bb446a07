-- Joined into other scripts. Time is microseconds since the epoch, by the server's clock: every process then agrees.
-- clock(given): `given` is ARGV text; "0" means the server's TIME, anything else is taken as it is (tests own the time).
local function clock(given)
  if given ~= '0' then return tonumber(given) end
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end
