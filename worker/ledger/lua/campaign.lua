-- Joined into other scripts, after offer: how a campaign ends, and runs again. `prefix` and `id` as there.

-- finish_when_done: every script that may have ended the last work calls this, so that no campaign is left half ended.
local function finish_when_done(prefix, id, now)
  local key = prefix .. 'c:' .. id
  local c = redis.call('HMGET', key, 'state', 'whole', 'pending', 'in_flight', 'accounts', 'resends')
  if c[2] ~= '1' or tonumber(c[3]) ~= 0 or tonumber(c[4]) ~= 0 or tonumber(c[6]) ~= 0 then return end
  if c[1] ~= 'running' and c[1] ~= 'paused' then return end
  redis.call('HSET', key, 'state', 'finished', 'reason', '', 'finished_at', now)
  withdraw(prefix, id, c[5])
end

-- reopen: `size` messages have become pending; a finished campaign runs again, and its lanes hear of them.
local function reopen(prefix, id, size, now)
  local key = prefix .. 'c:' .. id
  local c = redis.call('HMGET', key, 'state', 'accounts')
  redis.call('HINCRBY', key, 'pending', size)
  if c[1] == 'finished' then
    redis.call('HSET', key, 'state', 'running', 'finished_at', '')
    c[1] = 'running'
  end
  if c[1] == 'running' then offer(prefix, id, c[2], now) end
end

-- end_of: how messages end that would have to wait now, or nothing: they may wait.
local function end_of(key)
  local c = redis.call('HMGET', key, 'ended', 'state')
  if c[1] == '1' then return 'expired' end
  if c[2] == 'cancelled' then return 'cancelled' end
end

-- end_campaign: its time is over. What waits is expired; what is on the wire still settles.
local function end_campaign(prefix, id, now)
  local key = prefix .. 'c:' .. id
  local c = redis.call('HMGET', key, 'state', 'pending', 'accounts')
  if not c[1] or c[1] == 'cancelled' then return end
  redis.call('HSET', key, 'ended', 1, 'pending', 0)
  redis.call('HINCRBY', key, 'expired', c[2])
  redis.call('UNLINK', key .. ':queue')
  withdraw(prefix, id, c[3])
  finish_when_done(prefix, id, now)
end

-- put_back: `size` messages of batch `n`, just taken out of another counter, wait again in front of their queue, or end
-- with a campaign that is over; those of which reports have come are accepted. Needs reported.lua, and `hours` for it.
local function put_back(prefix, id, n, size, hours, now)
  local key = prefix .. 'c:' .. id
  -- Where messages of it have moved to stays known: some may have gone singly before it was taken whole.
  local children = redis.call('HGET', key .. ':s:' .. n, 'children')
  redis.call('DEL', key .. ':s:' .. n)
  if children then redis.call('HSET', key .. ':s:' .. n, 'children', children) end
  local waiting = size - accept_reported(prefix, key, n, hours, now)
  local over = end_of(key)
  if over then
    redis.call('HINCRBY', key, over, waiting)
  elseif waiting > 0 then
    redis.call('LPUSH', key .. ':queue', n)
    reopen(prefix, id, waiting, now)
  end
end
