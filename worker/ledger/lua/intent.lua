-- Joined into other scripts, after offer: the intent to send a batch, which is written before a byte of it goes out.

-- write_intent: `size` messages of batch n of campaign `id` are on the wire from `slot` on, under `attempt` of the process
-- `owner`, until it is told of or expires. The campaign goes behind the others of its priority.
local function write_intent(prefix, account, owner, attempt, id, n, size, slot, now, expires_at)
  local key, lane = prefix .. 'c:' .. id, prefix .. 'lane:' .. account
  redis.call('HSET', key .. ':s:' .. n, 'state', 'sending', 'attempt', attempt, 'account', account, 'size', size,
    'taken_at', now, 'slot', slot)
  local held = id .. ' ' .. n .. ' ' .. owner .. ' ' .. size .. ' ' .. string.format('%.0f', now)
  redis.call('HSET', lane .. ':attempts', attempt, held)
  redis.call('ZADD', prefix .. 'attempts', expires_at, account .. ' ' .. attempt)
  redis.call('HINCRBY', key, 'pending', -size)
  redis.call('HINCRBY', key, 'in_flight', size)
  redis.call('HINCRBY', key, 'takes', 1)
  redis.call('ZADD', lane .. ':campaigns', next_turn(lane, redis.call('HGET', key, 'priority')), id)
end
