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

-- reported: the letters with an a for whom reports tell of: the unconfirmed, and the rejected ones of a resend, whom its first
-- call has reached. What the news say of the accepted comes into the counters, or goes out of them.
local function reported(key, n, letters, by)
  local news = news_of(key, n)
  if not news then return letters end
  local is_resend = redis.call('SISMEMBER', key .. ':resent', n) == 1
  local mask, position, told = redis.call('GET', key .. ':m:' .. n) or '', -1, {}
  for letter in string.gmatch(letters, '.') do
    position = next_on_wire(mask, position, math.huge)
    local line = news[position]
    if line and (letter ~= 'r' or is_resend) then
      letter = 'a'
      count_news(key, line, by)
    end
    told[#told + 1] = letter
  end
  return table.concat(told)
end

-- count_outcomes: the outcomes (a, r, u) of what was on the wire come into the counters, or go out of them. `labels`: code and
-- words of each rejected one, in their order. Returns how many stay unconfirmed.
local COUNTERS = {a = 'accepted', r = 'rejected', u = 'unconfirmed'}

local function count_outcomes(key, n, letters, by, labels)
  local told, count, refusal = reported(key, n, letters, by), {}, 0
  for letter, name in pairs(COUNTERS) do
    count[letter] = select(2, string.gsub(told, letter, ''))
    if count[letter] > 0 then redis.call('HINCRBY', key, name, by * count[letter]) end
  end
  for place in string.gmatch(letters, '()r') do
    refusal = refusal + 1
    if string.sub(told, place, place) == 'r' then redis.call('HINCRBY', key .. ':codes', labels[refusal], by) end
  end
  return count.u
end
