-- Joined into other scripts: how a campaign enters its lanes, leaves them, and ends.
-- `prefix` is the ledger's key prefix; `id` a campaign; `accounts` its accounts' names, separated by blanks.

-- Campaign fields: priority (0 high, 1 normal, 2 low); hours (1: it has sending hours) with opens and closes, the
-- hours of now or the next ones; starts_at, ends_at (0: never); ended (1: ends_at has come); out: accounts that it may
-- not use any more.

-- A lane's campaigns by turn: those of one priority after all of a higher one, and among them who waited longest first.
local RANK = 1e12

local function next_turn(lane, priority)
  return redis.call('HINCRBY', lane, 'turn', 1) + RANK * tonumber(priority or 1)
end

-- offer: the campaign has something pending. Its lanes list it, behind those that wait already, and are due at once;
-- outside its hours it is looked at again when they begin, or at once where they are past, whatever the clock does.
local function offer(prefix, id, accounts, now)
  local key = prefix .. 'c:' .. id
  local c = redis.call('HMGET', key, 'hours', 'opens', 'closes', 'out', 'priority')
  if c[1] == '1' then
    local opens, closes = tonumber(c[2]), tonumber(c[3])
    local is_open = opens <= now and now < closes
    redis.call('ZADD', prefix .. 'hours', 'LT', is_open and closes or opens, id)
    if not is_open then return end
  end
  for account in string.gmatch(accounts, '%S+') do
    if not string.find(' ' .. (c[4] or '') .. ' ', ' ' .. account .. ' ', 1, true) then
      local lane = prefix .. 'lane:' .. account
      redis.call('ZADD', lane .. ':campaigns', 'NX', next_turn(lane, c[5]), id)
      -- One that is due already keeps its place before those that became so later.
      redis.call('ZADD', prefix .. 'due', 'LT', now, account)
    end
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
-- with a campaign that is over; those of which reports have come are accepted. Needs messages.lua.
local function put_back(prefix, id, n, size, now)
  local key = prefix .. 'c:' .. id
  -- Where messages of it have moved to stays known: some may have gone singly before it was taken whole.
  local children = redis.call('HGET', key .. ':s:' .. n, 'children')
  redis.call('DEL', key .. ':s:' .. n)
  if children then redis.call('HSET', key .. ':s:' .. n, 'children', children) end
  local waiting = size - accept_reported(key, n)
  local over = end_of(key)
  if over then
    redis.call('HINCRBY', key, over, waiting)
  elseif waiting > 0 then
    redis.call('LPUSH', key .. ':queue', n)
    reopen(prefix, id, waiting, now)
  end
end
