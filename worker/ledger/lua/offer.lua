-- Joined into other scripts: how a campaign enters its lanes, and leaves them.
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
