-- Joined into other scripts: which batches have unconfirmed messages that will be sent once more, and when.
-- Only campaigns with on_unconfirmed = "resend" (campaign field `resend`), and no batch that is a resend itself.
-- Campaign field `resends`: its batches that are due for it; while there are any the campaign is not finished.

local function forget_resend(prefix, id, n)
  if redis.call('ZREM', prefix .. 'resends', id .. ' ' .. n) == 1 then
    redis.call('HINCRBY', prefix .. 'c:' .. id, 'resends', -1)
  end
end

local function plan_resend(prefix, id, n, due)
  local key = prefix .. 'c:' .. id
  if redis.call('HGET', key, 'resend') ~= '1' or redis.call('SISMEMBER', key .. ':resent', n) == 1 then return end
  if redis.call('ZADD', prefix .. 'resends', 'NX', due, id .. ' ' .. n) == 1 then
    redis.call('HINCRBY', key, 'resends', 1)
  end
end
