-- Joined into other scripts, after messages and recent: which messages of a batch left, so that it is remembered whom they
-- were for.

-- lettered: {position → whether its letter (settle.lua) is one of these} of batch n's messages that were on the wire.
local function lettered(key, n, letters, wanted)
  local mask, position, found = redis.call('GET', key .. ':m:' .. n) or '', -1, {}
  for letter in string.gmatch(letters, '.') do
    position = next_on_wire(mask, position, math.huge)
    found[position] = string.find(wanted, letter, 1, true) ~= nil
  end
  return found
end

-- remember_sent: those of batch n that left, or may have, under the attempt taken at `taken`: the accepted and the
-- unconfirmed ones. `write` as in recent.lua: an attempt that has expired is only presumed to have reached them.
local function remember_sent(prefix, key, n, letters, hours, taken, write)
  local packed = hours > 0 and redis.call('GET', key .. ':b:' .. n)
  if packed then remember(prefix, hours, taken, packed, lettered(key, n, letters, 'au'), write) end
end

-- forget_sent: the attempt has expired, so that all of batch n are presumed to have been messaged, and its own late answer
-- says who of them did not leave: its minute is taken back, and nothing else that is remembered of them.
local function forget_sent(prefix, key, n, letters, taken)
  local packed = redis.call('GET', key .. ':b:' .. n)
  if not packed then return end
  local stayed, day, minute = lettered(key, n, letters, 'rp'), day_and_minute(taken)
  for position, number in each_number(packed) do
    local sent, field = sent_key(prefix, day, number), 'u' .. number
    local minutes = stayed[position] and redis.call('HGET', sent, field)
    if minutes then
      minutes = string.gsub(minutes, ' ' .. minute .. ' ', '', 1)
      if minutes == '' then redis.call('HDEL', sent, field) else redis.call('HSET', sent, field, minutes) end
    end
  end
end
