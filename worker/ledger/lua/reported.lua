-- Joined into other scripts, after outcomes and recent: messages that are accepted although no call of their batch said so.

-- accept_reported: messages of a waiting batch for which there are news will not go: they are accepted. Returns how many.
-- Nobody settles them, so that it is here that it is remembered for `hours` who was messaged.
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
  remember(prefix, hours, now, redis.call('GET', key .. ':b:' .. n), positions, write_certain)
  return accepted
end
