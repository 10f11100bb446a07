-- Joined into other scripts: messages of a batch move to a new one, with what is told of them.

-- add_child: a new batch, stored as `packed`, to which messages of batch n move; a resend where n is one. Returns its n.
local function add_child(key, n, packed)
  local child = tonumber(redis.call('HGET', key, 'stretches')) + redis.call('HINCRBY', key, 'made', 1)
  redis.call('SET', key .. ':b:' .. child, packed)
  local children = redis.call('HGET', key .. ':s:' .. n, 'children')
  redis.call('HSET', key .. ':s:' .. n, 'children', (children and children .. ' ' or '') .. child)
  if redis.call('SISMEMBER', key .. ':resent', n) == 1 then redis.call('SADD', key .. ':resent', child) end
  return child
end

-- hand_news_on: what is told of a batch's messages goes with them: `goes_to` gives batch and position of the message at
-- a place (from 0) among those that were on the wire; nothing for one that stays. Needs messages.lua.
local function hand_news_on(key, n, goes_to)
  local news = news_of(key, n)
  if not news then return end
  local mask, position, place = redis.call('GET', key .. ':m:' .. n) or '', -1, -1
  for _ = 1, count_of(key, n) do
    position, place = next_on_wire(mask, position, math.huge), place + 1
    local child, there
    if position and news[position] then child, there = goes_to(place) end
    if child then
      local id = redis.call('HGET', key .. ':d:' .. n, 'i' .. position)
      redis.call('HSET', key .. ':d:' .. child, there, news[position])
      if id then redis.call('HSET', key .. ':d:' .. child, 'i' .. there, id) end
    end
    if not position then return end
  end
end
