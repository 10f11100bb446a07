-- Joined into other scripts: whose batch goes next through a lane, and how it leaves its queue.

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

-- next_batch: number `served` of the lane, of the campaign whose turn it is, at most `limit` messages. A campaign with an
-- empty queue, or one that may not send so late, leaves the lane; one whose batch is lost pauses. Returns campaign, n,
-- packed, mask, what the batch is a part of or '', and its size; nothing where the lane has nothing, and false where so
-- many batches in a row had nobody who may be messaged that the server should see to others first.
local MOST_EMPTIED = 20

local function next_batch(prefix, account, served, limit, slot, latest, now)
  local campaigns, emptied = prefix .. 'lane:' .. account .. ':campaigns', 0
  while emptied < MOST_EMPTIED do
    local id = whose_turn(campaigns, served)
    if not id then return end
    local key = prefix .. 'c:' .. id
    local n = may_go(prefix, id, slot, latest) and redis.call('LINDEX', key .. ':queue', 0)
    local packed = n and redis.call('GET', key .. ':b:' .. n)
    local parent = packed and part_of(packed)
    local whole = parent and redis.call('GET', key .. ':b:' .. parent)
    if not packed or whole == false then
      redis.call('ZREM', campaigns, id)
      if n then
        redis.call('HSET', key, 'state', 'paused', 'reason', 'batch ' .. n .. ' is not in Redis any more')
        withdraw(prefix, id, redis.call('HGET', key, 'accounts'))
      end
    else
      local count, mask = struct.unpack('>H', packed), redis.call('GET', key .. ':m:' .. n) or ''
      mask = welcome_mask(prefix, account, key, n, packed, mask, count, limit, now)
      if not next_on_wire(mask, -1, count) then
        redis.call('LPOP', key .. ':queue')
        finish_when_done(prefix, id, now)
        emptied = emptied + 1
      elseif count > limit then
        local number, reference = part(key, n, packed, mask, count)
        return id, number, reference, '', packed, 1
      else
        redis.call('LPOP', key .. ':queue')
        return id, n, packed, mask, whole or '', mask == '' and count or select(2, string.gsub(mask, '%.', ''))
      end
    end
  end
  return false
end
