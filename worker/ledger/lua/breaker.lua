-- Joined into other scripts: the campaign's own breaker.
-- Campaign fields: refusals (its calls in a row that were refused for what is in them: 400, 413), resumed_at. A call ends the
-- row that was taken whole, whatever became of its messages, or in part where some message was accepted.

-- refused: one more call was refused so; the `limit`-th in a row pauses the campaign, with `reason`.
-- A verdict from before the last resume counts for nothing.
local function refused(prefix, id, taken, now, limit, reason)
  local key = prefix .. 'c:' .. id
  local c = redis.call('HMGET', key, 'state', 'resumed_at', 'accounts')
  if is_stale(taken, tonumber(c[2]), now) then return end
  if redis.call('HINCRBY', key, 'refusals', 1) < limit or c[1] ~= 'running' then return end
  redis.call('HSET', key, 'state', 'paused', 'reason', reason)
  withdraw(prefix, id, c[3])
end
