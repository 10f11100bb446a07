-- Joined into other scripts: whose turn it is in a lane.

-- may_go: whether a call that goes at `slot`, or `latest` at the latest, goes within the campaign's hours and before its
-- end. Its hours lie ahead where the clock stepped back: then it is looked at again when they open.
local function may_go(prefix, id, slot, latest)
  local c = redis.call('HMGET', prefix .. 'c:' .. id, 'hours', 'opens', 'closes', 'ends_at')
  if c[1] == '1' and slot < tonumber(c[2]) then redis.call('ZADD', prefix .. 'hours', 'LT', c[2], id) end
  local is_open = c[1] ~= '1' or (slot >= tonumber(c[2]) and latest < tonumber(c[3]))
  return is_open and (tonumber(c[4] or 0) == 0 or latest < tonumber(c[4]))
end

-- whose_turn: the campaign that goes as the lane's batch number `served`: the first of the highest priority that waits.
-- But one batch in 100 is for a normal one and one in 1,000 for a low one: aging, by which none starves. They are never
-- next to each other: a high one waits for one batch at most.
local AGED = {{priority = 1, every = 100}, {priority = 2, every = 1000}}

local function whose_turn(campaigns, served)
  for _, aged in ipairs(AGED) do
    if served % aged.every == aged.every / 2 then
      local first, last = RANK * aged.priority, string.format('(%.0f', RANK * (aged.priority + 1))
      local id = redis.call('ZRANGEBYSCORE', campaigns, first, last, 'LIMIT', 0, 1)[1]
      if id then return id end
    end
  end
  return redis.call('ZRANGE', campaigns, 0, 0)[1]
end
