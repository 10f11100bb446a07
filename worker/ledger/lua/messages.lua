-- Joined into other scripts: which messages of a batch go on the wire, and what delivery reports have told of them.
-- Mask (string m:N; absent: all '.'), a letter a message: '.' goes, 'p' has a batch of its own now, 'r' accepted by a
-- report that came while it waited, any other: suppressed. News (hash d:N): position, from 0, → line as in
-- worker/domain/delivery.py; 'i' .. position → the gateway's id of it; 's' .. position → why it was suppressed.

local function count_of(key, n) return struct.unpack('>H', redis.call('GETRANGE', key .. ':b:' .. n, 0, 1)) end

local function news_of(key, n)
  local all, news = redis.call('HGETALL', key .. ':d:' .. n), nil
  for i = 1, #all, 2 do
    local position = tonumber(all[i])
    if position then
      news = news or {}
      news[position] = all[i + 1]
    end
  end
  return news
end

-- next_on_wire: the position after `position` that goes, or nothing.
local function next_on_wire(mask, position, count)
  if mask == '' then return position + 1 < count and position + 1 or nil end
  local found = string.find(mask, '.', position + 2, true)
  return found and found - 1
end

local function marked(mask, position, letter)
  return string.sub(mask, 1, position) .. letter .. string.sub(mask, position + 2)
end

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
local function accept_reported(key, n)
  local news, accepted = news_of(key, n), 0
  if not news then return 0 end
  local mask = redis.call('GET', key .. ':m:' .. n) or string.rep('.', count_of(key, n))
  for position, line in pairs(news) do
    if string.sub(mask, position + 1, position + 1) == '.' then
      mask = marked(mask, position, 'r')
      count_news(key, line, 1)
      accepted = accepted + 1
    end
  end
  redis.call('SET', key .. ':m:' .. n, mask)
  redis.call('HINCRBY', key, 'accepted', accepted)
  return accepted
end

-- hand_news_on: what is told of a batch's messages goes with them: `goes_to` gives batch and position of the message at
-- a place (from 0) among those that were on the wire.
local function hand_news_on(key, n, goes_to)
  local news = news_of(key, n)
  if not news then return end
  local mask, position, place = redis.call('GET', key .. ':m:' .. n) or '', -1, -1
  for _ = 1, count_of(key, n) do
    position, place = next_on_wire(mask, position, math.huge), place + 1
    if position and news[position] then
      local child, there = goes_to(place)
      local id = redis.call('HGET', key .. ':d:' .. n, 'i' .. position)
      redis.call('HSET', key .. ':d:' .. child, there, news[position])
      if id then redis.call('HSET', key .. ':d:' .. child, 'i' .. there, id) end
    end
    if not position then return end
  end
end
