-- Joined into other scripts: how a campaign enters its lanes, leaves them, and ends.
-- `prefix` is the ledger's key prefix; `id` a campaign; `accounts` its accounts' names, separated by blanks.

-- offer: the campaign has something pending. Its lanes list it, behind those that wait already, and are due at once.
local function offer(prefix, id, accounts, now)
  for account in string.gmatch(accounts, '%S+') do
    local lane = prefix .. 'lane:' .. account
    redis.call('ZADD', lane .. ':campaigns', 'NX', redis.call('HINCRBY', lane, 'turn', 1), id)
    redis.call('ZADD', prefix .. 'due', now, account)
  end
end

-- withdraw: nothing of the campaign may be taken (paused, cancelled, finished).
local function withdraw(prefix, id, accounts)
  for account in string.gmatch(accounts, '%S+') do
    redis.call('ZREM', prefix .. 'lane:' .. account .. ':campaigns', id)
  end
end

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

-- put_back: `size` messages of batch `n`, just taken out of another counter, wait again in front of their queue, or end
-- with a cancelled campaign; those of which reports have come are accepted. Needs messages.lua.
local function put_back(prefix, id, n, size, now)
  local key = prefix .. 'c:' .. id
  redis.call('DEL', key .. ':s:' .. n)
  local waiting = size - accept_reported(key, n)
  if redis.call('HGET', key, 'state') == 'cancelled' then
    redis.call('HINCRBY', key, 'cancelled', waiting)
  elseif waiting > 0 then
    redis.call('LPUSH', key .. ':queue', n)
    reopen(prefix, id, waiting, now)
  end
end
