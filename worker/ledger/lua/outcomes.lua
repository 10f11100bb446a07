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
