-- Joined into other scripts, after messages and recent: which messages of a batch left, so that it is remembered whom they
-- were for.

-- left_of: {position → whether it left, or may have} of batch n's messages that were on the wire: the accepted and the
-- unconfirmed ones among their letters (settle.lua).
local function left_of(key, n, letters)
  local mask, position, left = redis.call('GET', key .. ':m:' .. n) or '', -1, {}
  for letter in string.gmatch(letters, '.') do
    position = next_on_wire(mask, position, math.huge)
    left[position] = letter == 'a' or letter == 'u'
  end
  return left
end

-- remember_sent: those of batch n that left, under the attempt taken at `taken`.
local function remember_sent(prefix, key, n, letters, hours, taken)
  local packed = hours > 0 and redis.call('GET', key .. ':b:' .. n)
  if not packed then return end
  remember(prefix, hours, taken, packed, left_of(key, n, letters))
end

-- forget_sent: the attempt has expired, so that all of batch n are remembered, and its own late answer says who of them
-- did not leave. Whoever was messaged again since stays; so do those of a resend, whom its first call may have reached.
local function forget_sent(prefix, key, n, letters, taken)
  local packed = redis.call('GET', key .. ':b:' .. n)
  if not packed or redis.call('SISMEMBER', key .. ':resent', n) == 1 then return end
  local day, minute = day_and_minute(taken)
  local left = left_of(key, n, letters)
  for position, number in each_number(packed) do
    local sent = sent_key(prefix, day, number)
    if left[position] == false and tonumber(redis.call('HGET', sent, number)) == minute then
      redis.call('HDEL', sent, number)
    end
  end
end
