-- Joined into other scripts: messages of a batch move to a new one.

-- add_child: a new batch, stored as `packed`, to which messages of batch n move; a resend where n is one. Returns its n.
local function add_child(key, n, packed)
  local child = tonumber(redis.call('HGET', key, 'stretches')) + redis.call('HINCRBY', key, 'made', 1)
  redis.call('SET', key .. ':b:' .. child, packed)
  local children = redis.call('HGET', key .. ':s:' .. n, 'children')
  redis.call('HSET', key .. ':s:' .. n, 'children', (children and children .. ' ' or '') .. child)
  if redis.call('SISMEMBER', key .. ':resent', n) == 1 then redis.call('SADD', key .. ':resent', child) end
  return child
end
