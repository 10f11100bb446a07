-- Joined into other scripts: whose batch goes next through a lane, and how it leaves its queue. Whoever may not be
-- messaged is looked up here, in the script that writes the intent: an opt-out bites until the moment of sending.
-- A batch that is one message of another ("part") is stored as that message's number and "R", the other's n, position.

local function part_of(packed)
  local n, position = string.match(packed, '^R(%d+) (%d+)$', 3 + 8 * struct.unpack('>H', packed))
  return n, tonumber(position)
end

-- part: the first message that waits in batch n moves to a batch of its own, and out of the queue goes the last one.
local function part(key, n, packed, mask, count)
  local number = tonumber(redis.call('HGET', key, 'stretches')) + redis.call('HINCRBY', key, 'made', 1)
  local position = next_on_wire(mask, -1, count)
  local reference = '\0\1' .. string.sub(packed, 3 + 8 * position, 10 + 8 * position) .. 'R' .. n .. ' ' .. position
  redis.call('SET', key .. ':b:' .. number, reference)
  mask = marked(mask == '' and string.rep('.', count) or mask, position, 'p')
  redis.call('SET', key .. ':m:' .. n, mask)
  if not next_on_wire(mask, -1, count) then redis.call('LPOP', key .. ':queue') end
  local children = redis.call('HGET', key .. ':s:' .. n, 'children')
  redis.call('HSET', key .. ':s:' .. n, 'children', (children and children .. ' ' or '') .. number)
  if redis.call('SISMEMBER', key .. ':resent', n) == 1 then redis.call('SADD', key .. ':resent', number) end
  return number, reference
end

-- may_go: whether a call that goes at `slot`, or `latest` at the latest, goes within the campaign's hours and before its
-- end. Its hours lie ahead where the clock stepped back: then it is looked at again when they open.
local function may_go(prefix, id, slot, latest)
  local c = redis.call('HMGET', prefix .. 'c:' .. id, 'hours', 'opens', 'closes', 'ends_at')
  if c[1] == '1' and slot < tonumber(c[2]) then redis.call('ZADD', prefix .. 'hours', 'LT', c[2], id) end
  local is_open = c[1] ~= '1' or (slot >= tonumber(c[2]) and latest < tonumber(c[3]))
  return is_open and (tonumber(c[4] or 0) == 0 or latest < tonumber(c[4]))
end

-- unwelcome: {position → why} of the packed batch's messages that may not go now.
local function unwelcome(prefix, account, key, packed, now)
  local c = redis.call('HMGET', key, 'sender', 'promotional', 'not_before')
  local gone = suppressed_positions(prefix, account, c[1] or '', c[2] == '1', packed)
  for position, why in pairs(recent_positions(prefix, tonumber(c[3] or 0), now, packed)) do
    gone[position] = gone[position] or why
  end
  return gone
end

-- pass_over: these messages of a waiting batch leave `queued` for `suppressed`. Returns the mask after it.
local function pass_over(key, n, mask, count, gone)
  local left = 0
  for position, why in pairs(gone) do
    if mask == '' then mask = string.rep('.', count) end
    if string.sub(mask, position + 1, position + 1) == '.' then
      mask, left = marked(mask, position, 's'), left + 1
      redis.call('HSET', key .. ':d:' .. n, 's' .. position, why)
    end
  end
  if left == 0 then return mask end
  redis.call('SET', key .. ':m:' .. n, mask)
  redis.call('HINCRBY', key, 'pending', -left)
  redis.call('HINCRBY', key, 'queued', -left)
  redis.call('HINCRBY', key, 'suppressed', left)
  return mask
end

-- welcome_mask: the mask after passing over whom may not be messaged: of all of the batch, or, where one message goes
-- at a time, of those before the first that may go.
local function welcome_mask(prefix, account, key, n, packed, mask, count, limit, now)
  if count <= limit then return pass_over(key, n, mask, count, unwelcome(prefix, account, key, packed, now)) end
  local position = next_on_wire(mask, -1, count)
  while position do
    local why = unwelcome(prefix, account, key, '\0\1' .. string.sub(packed, 3 + 8 * position, 10 + 8 * position), now)[0]
    if not why then break end
    mask = pass_over(key, n, mask, count, {[position] = why})
    position = next_on_wire(mask, position, count)
  end
  return mask
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

-- next_batch: number `served` of the lane, of the campaign whose turn it is, at most `limit` messages. A campaign with an empty queue, or one that
-- may not send so late, leaves the lane; one whose batch is lost pauses. Returns campaign, n, packed, mask, what the batch is a part of or '', and its size;
-- nothing where the lane has nothing.
local function next_batch(prefix, account, served, limit, slot, latest, now)
  local campaigns = prefix .. 'lane:' .. account .. ':campaigns'
  while true do
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
      elseif count > limit then
        local number, reference = part(key, n, packed, mask, count)
        return id, number, reference, '', packed, 1
      else
        redis.call('LPOP', key .. ':queue')
        return id, n, packed, mask, whole or '', mask == '' and count or select(2, string.gsub(mask, '%.', ''))
      end
    end
  end
end
