-- Joined into other scripts, after part, welcome and turn: the next batch of a lane leaves its queue.

local MOST_EMPTIED = 20

-- next_batch: number `served` of the lane, of the campaign whose turn it is, at most `limit` messages. A campaign with an
-- empty queue, or one that may not send so late, leaves the lane; one whose batch is lost pauses. Returns campaign, n,
-- packed, mask, what the batch is a part of or '', and its size; nothing where the lane has nothing, and false where so
-- many batches in a row had nobody who may be messaged that the server should see to others first.
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
