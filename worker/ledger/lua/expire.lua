-- Joined into other scripts, after outcomes, left, campaign and again: attempts of which nobody tells come to their end.

-- lengthen: what lies in this set of instants comes so much later: nobody could settle meanwhile.
local function lengthen(key, us)
  for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZINCRBY', key, us, member) end
end

-- expire: the batch of an attempt is unconfirmed. `member` names it in `expiries`, all attempts by expiry; `longest` is the
-- longest that any lives, `hours` for how long it is remembered who was messaged. A holder that does not know what it holds
-- may still give it back.
local function expire(prefix, expiries, member, now, longest, hours)
  redis.call('ZREM', expiries, member)
  local account, attempt = string.match(member, '^(%S+) (%S+)$')
  local attempts = prefix .. 'lane:' .. account .. ':attempts'
  local held = redis.call('HGET', attempts, attempt)
  if not held then return end
  local id, n, size, taken = string.match(held, '^(%S+) (%S+) %S+ (%S+) (%S+)')
  local key = prefix .. 'c:' .. id
  redis.call('HDEL', attempts, attempt)
  redis.call('SET', prefix .. 'expired:' .. attempt, id .. ' ' .. n, 'EX', 3600)
  redis.call('HINCRBY', key, 'in_flight', -tonumber(size))
  redis.call('HINCRBY', key, 'calls', 1)
  local unconfirmed = count_outcomes(key, n, string.rep('u', tonumber(size)), 1)
  remember_sent(prefix, key, n, string.rep('u', tonumber(size)), hours, tonumber(taken), write_presumed)
  redis.call('HSET', key .. ':s:' .. n, 'state', 'settled', 'expired', 1, 'expired_at', now, 'attempts', 1,
    'unconfirmed', unconfirmed)
  -- The process that holds it may only sleep: one more expiry, in which its own answer may come.
  if unconfirmed > 0 then plan_resend(prefix, id, n, now + longest) end
  finish_when_done(prefix, id, now)
end
