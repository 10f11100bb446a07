-- Joined into other scripts, after messages: what outcomes and news of a batch do to the counters of its campaign.

-- count_news: what a line says of an accepted message comes into the counters (by = 1), or goes out of them (-1).
local function count_news(key, line, by)
  local rank = string.byte(line)
  if rank == 50 then
    redis.call('HINCRBY', key, 'undelivered', by)
    local label = string.gsub(string.sub(line, 17) .. ' ', '^%- ', '')
    label = string.gsub(label, ' $', '')
    redis.call('HINCRBY', key .. ':codes', label == '' and 'UNDELIVERED' or label, by)
  elseif rank > 50 then
    redis.call('HINCRBY', key, 'delivered', by)
  end
end

-- count_outcomes: the outcomes (a, r, u) of what was on the wire come into the counters, or go out of them. An
-- unconfirmed message with news is accepted. Returns how many stay unconfirmed.
local function count_outcomes(key, n, letters, by)
  local news, a, r, u = news_of(key, n), 0, 0, 0
  if news then
    local mask, position = redis.call('GET', key .. ':m:' .. n) or '', -1
    for letter in string.gmatch(letters, '.') do
      position = next_on_wire(mask, position, math.huge)
      local line = news[position]
      if letter == 'r' then r = r + 1 elseif letter == 'u' and not line then u = u + 1 else a = a + 1 end
      if line and letter ~= 'r' then count_news(key, line, by) end
    end
  else
    a, r, u = select(2, string.gsub(letters, 'a', '')), select(2, string.gsub(letters, 'r', '')), nil
    u = #letters - a - r
  end
  if a > 0 then redis.call('HINCRBY', key, 'accepted', by * a) end
  if r > 0 then redis.call('HINCRBY', key, 'rejected', by * r) end
  if u > 0 then redis.call('HINCRBY', key, 'unconfirmed', by * u) end
  return u
end

-- accept_reported: messages of a waiting batch for which there are news will not go: they are accepted. Returns how many.
-- Nobody settles them, so that it is here that it is remembered for `hours` who was messaged. Needs recent.lua.
local function accept_reported(prefix, key, n, hours, now)
  local news, accepted, positions = news_of(key, n), 0, {}
  if not news then return 0 end
  local mask = redis.call('GET', key .. ':m:' .. n) or string.rep('.', count_of(key, n))
  for position, line in pairs(news) do
    if string.sub(mask, position + 1, position + 1) == '.' then
      mask = marked(mask, position, 'r')
      count_news(key, line, 1)
      accepted, positions[position] = accepted + 1, true
    end
  end
  redis.call('SET', key .. ':m:' .. n, mask)
  redis.call('HINCRBY', key, 'accepted', accepted)
  remember(prefix, hours, now, redis.call('GET', key .. ':b:' .. n), positions)
  return accepted
end

-- hand_news_on: what is told of a batch's messages goes with them: `goes_to` gives batch and position of the message at
-- a place (from 0) among those that were on the wire; nothing for one that stays.
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
