-- Gives a batch back to its queue, with the holder's proof that nothing of it was accepted.
-- KEYS[1] lane  KEYS[2] its attempts  KEYS[3] all attempts by expiry
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] account  ARGV[4] attempt  ARGV[5] campaign or "" where the holder does not know
-- ARGV[6] batch n  ARGV[7] verdict ok|throttled|unsent|hold|none  ARGV[8] words  ARGV[9] pause us asked by the gateway
-- ARGV[10] spread 0 to 1  ARGV[11] why the campaign pauses, or ""  ARGV[12] 1: not all of it, but on this account; it
-- pauses where it has no other  ARGV[13] hours for which it is remembered who was messaged
-- Returns "back", "late" (it had expired) or "gone" (nothing is held; the id is void from now on).
-- Invariant: sending to pending only by the attempt that holds the batch; an id given back can not be taken later.
-- Called by: worker.ledger.settling.give_back
-- joined: clock pace lane messages numbers recent left outcomes reported offer campaign again late
local function has_other(accounts, out, account)
  for other in string.gmatch(accounts, '%S+') do
    if other ~= account and not string.find(' ' .. out .. ' ', ' ' .. other .. ' ', 1, true) then return true end
  end
  return false
end

local now, prefix, attempt, id, n = clock(ARGV[1]), ARGV[2], ARGV[4], ARGV[5], ARGV[6]
local taken, size, late
local held = redis.call('HGET', KEYS[2], attempt)
if held then
  id, n, size, taken = string.match(held, '^(%S+) (%S+) %S+ (%S+) (%S+)')
  redis.call('HDEL', KEYS[2], attempt)
  redis.call('ZREM', KEYS[3], ARGV[3] .. ' ' .. attempt)
else
  redis.call('SET', prefix .. 'void:' .. attempt, 1, 'EX', 60)
  if id == '' then id, n = string.match(redis.call('GET', prefix .. 'expired:' .. attempt) or '', '^(%S+) (%S+)$') end
  if not id then return 'gone' end
  local s = redis.call('HMGET', prefix .. 'c:' .. id .. ':s:' .. n, 'attempt', 'state', 'expired', 'size', 'taken_at')
  if s[1] ~= attempt or s[2] ~= 'settled' or s[3] ~= '1' then return 'gone' end
  late, size, taken = true, s[4], s[5]
end
size, taken = tonumber(size), tonumber(taken)
off_the_wire(prefix, id, n, size, string.rep('r', size), taken, late)
local key = prefix .. 'c:' .. id
-- A call counts where its request may have left. An expiry has counted it already; a late proof takes that back.
local left = (ARGV[7] == 'none' or ARGV[7] == 'unsent') and 0 or 1
redis.call('HINCRBY', key, 'calls', left - (late and 1 or 0))
if ARGV[7] == 'throttled' then redis.call('HINCRBY', key, 'throttled', 1) end

verdict(KEYS[1], ARGV[7], now, taken, ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10]), 0)
if ARGV[11] ~= '' then
  local c = redis.call('HMGET', key, 'state', 'resumed_at', 'accounts', 'out')
  if (c[1] == 'running' or c[1] == 'finished') and not is_stale(taken, tonumber(c[2]), now) then
    if ARGV[12] == '1' and has_other(c[3], c[4], ARGV[3]) then
      redis.call('HSET', key, 'out', c[4] .. ' ' .. ARGV[3])
      withdraw(prefix, id, ARGV[3])
    else
      redis.call('HSET', key, 'state', 'paused', 'reason', ARGV[11], 'finished_at', '')
      withdraw(prefix, id, c[3])
    end
  end
end
put_back(prefix, id, n, size, tonumber(ARGV[13]), now)
finish_when_done(prefix, id, now)
return late and 'late' or 'back'
