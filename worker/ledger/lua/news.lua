-- Joined into other scripts: which of two news stands, and what a report says of the account and of the campaign.

-- is_newer: whether `line` is greater than `old`, byte by byte: Lua's own comparison asks the server's locale.
local function is_newer(line, old)
  if not old then return true end
  for i = 1, math.min(#line, #old) do
    local a, b = string.byte(line, i), string.byte(old, i)
    if a ~= b then return a > b end
  end
  return #line > #old
end

-- name: a report tells the gateway's id of the message at a position; the greater of two stands, as of two news. Returns
-- whether it does.
local function name(news, position, gateway_id)
  local is_new = is_newer(gateway_id, redis.call('HGET', news, 'i' .. position))
  if is_new then redis.call('HSET', news, 'i' .. position, gateway_id) end
  return is_new
end

-- feed_back: `said` is nothing | throttled | misconfigured, of a call that `account` made at `taken`. Campaign field
-- `lately`: its last 100 reports that told something new of calls since the last resume, 1 where one was of the second
-- kind; `limit` ones pause it.
local function feed_back(prefix, id, said, account, taken, now, spread, limit)
  local key = prefix .. 'c:' .. id
  local c = redis.call('HMGET', key, 'lately', 'state', 'resumed_at', 'accounts')
  local lately, is_old = c[1] or '', is_stale(taken or now, tonumber(c[3]), now)
  if not is_old then
    lately = string.sub(lately .. (said == 'misconfigured' and '1' or '0'), -100)
    redis.call('HSET', key, 'lately', lately)
  end
  if said == 'throttled' and account then
    -- It slows the account down as an answer would, but no call was answered: lost ones still count in a row.
    local lane = prefix .. 'lane:' .. account
    local lost = redis.call('HMGET', lane, 'careful', 'streak')
    verdict(lane, said, now, taken, 'delivery reports say that messages come too fast', 0, spread, 0)
    redis.call('HSET', lane, 'careful', lost[1] or 0, 'streak', lost[2] or 0)
  end
  if said ~= 'misconfigured' or c[2] ~= 'running' or is_old then return end
  local _, bad = string.gsub(lately, '1', '')
  if bad >= limit then
    local words = bad .. ' of the last ' .. #lately .. ' delivery reports say that sender, template or content is refused: '
    redis.call('HSET', key, 'state', 'paused', 'reason', words .. 'check them, then resume the campaign')
    withdraw(prefix, id, c[4])
  end
end
