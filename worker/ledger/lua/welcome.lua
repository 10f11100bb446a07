-- Joined into other scripts: who of a waiting batch may not be messaged now. Looked up here, in the script that writes
-- the intent: an opt-out bites until the moment of sending.

-- unwelcome: {position → why} of the packed messages of batch n that may not go now. The frequency cap is not asked about
-- a resend: who gets one was messaged lately, by the call that it repeats.
local function unwelcome(prefix, account, key, n, packed, now)
  local c = redis.call('HMGET', key, 'sender', 'promotional', 'not_before')
  local hours = redis.call('SISMEMBER', key .. ':resent', n) == 1 and 0 or tonumber(c[3] or 0)
  local gone = suppressed_positions(prefix, account, c[1] or '', c[2] == '1', packed)
  for position, why in pairs(recent_positions(prefix, hours, now, packed)) do
    gone[position] = gone[position] or why
  end
  return gone
end

-- pass_over: these messages of a waiting batch leave `queued` for `suppressed`. Returns the mask after it.
local function pass_over(key, n, mask, count, gone)
  local left = 0
  for position, why in pairs(gone) do
    if mask == '' then mask = string.rep('.', count) end
    if string.sub(mask, position + 1, position + 1) == '.' then
      mask, left = marked(mask, position, 's'), left + 1
      redis.call('HSET', key .. ':d:' .. n, 's' .. position, why)
    end
  end
  if left == 0 then return mask end
  redis.call('SET', key .. ':m:' .. n, mask)
  redis.call('HINCRBY', key, 'pending', -left)
  redis.call('HINCRBY', key, 'queued', -left)
  redis.call('HINCRBY', key, 'suppressed', left)
  return mask
end

-- welcome_mask: the mask after passing over whom may not be messaged: of all of the batch, or, where one message goes
-- at a time, of those before the first that may go.
local function welcome_mask(prefix, account, key, n, packed, mask, count, limit, now)
  if count <= limit then return pass_over(key, n, mask, count, unwelcome(prefix, account, key, n, packed, now)) end
  local position = next_on_wire(mask, -1, count)
  while position do
    local alone = '\0\1' .. string.sub(packed, 3 + 8 * position, 10 + 8 * position)
    local why = unwelcome(prefix, account, key, n, alone, now)[0]
    if not why then break end
    mask = pass_over(key, n, mask, count, {[position] = why})
    position = next_on_wire(mask, position, count)
  end
  return mask
end
