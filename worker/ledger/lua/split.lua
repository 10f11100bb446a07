-- A call was refused because of something in its batch, and nothing of it was accepted: halves, until one message is left.
-- KEYS[1] campaign hash  KEYS[2] its queue  KEYS[3] lane  KEYS[4] its attempts  KEYS[5] all attempts
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] account  ARGV[4] attempt  ARGV[5] campaign  ARGV[6] batch n
-- ARGV[7] refusals in a row that pause the campaign  ARGV[8] why it would pause  ARGV[9] code and words of the refusal
-- ARGV[10] hours for which it is remembered who was messaged
-- ARGV[11…] the packed halves; where the batch is one message, its packed outcomes instead
-- Returns "split", "rejected", "back" (one message, and no call of the campaign was accepted yet) or "gone".
-- Invariant: the messages move in the script that makes the new batches, and count only there; halves go to the back
-- of the queue. One message is rejected only where the campaign was seen to pass, or where it is all there is.
-- Called by: worker.ledger.settling.isolate
-- joined: clock pace lane messages child numbers recent left outcomes reported offer campaign breaker again late
local now, prefix, attempt, id, n = clock(ARGV[1]), ARGV[2], ARGV[4], ARGV[5], ARGV[6]
local batch = KEYS[1] .. ':s:' .. n
local s = redis.call('HMGET', batch, 'state', 'attempt', 'size', 'expired', 'taken_at')
local late = s[1] == 'settled' and s[4] == '1'
if s[2] ~= attempt or not (s[1] == 'sending' or late) then return 'gone' end
local size = tonumber(s[3])
local c = redis.call('HMGET', KEYS[1], 'passed', 'accepted', 'queued')
local over = end_of(KEYS[1])

redis.call('HDEL', KEYS[4], attempt)
redis.call('ZREM', KEYS[5], ARGV[3] .. ' ' .. attempt)
off_the_wire(prefix, id, n, size, string.rep('r', size), tonumber(s[5]), late)
if not late then redis.call('HINCRBY', KEYS[1], 'calls', 1) end
verdict(KEYS[3], 'ok', now, tonumber(s[5]), '', 0, 0, 0)

local did = 'back'
if size == 1 and (c[1] == '1' or tonumber(c[2]) > 0 or tonumber(c[3]) == 1) then
  did = 'rejected'
  redis.call('HSET', batch, 'state', 'settled', 'expired', 0, 'attempts', 1, 'unconfirmed', 0)
  redis.call('SET', KEYS[1] .. ':o:' .. n, ARGV[11])
  count_outcomes(KEYS[1], n, 'r', 1, {ARGV[9]})
elseif size == 1 or over then
  put_back(prefix, id, n, size, tonumber(ARGV[10]), now)
  if redis.call('LREM', KEYS[2], 1, n) == 1 then redis.call('RPUSH', KEYS[2], n) end
else
  did = 'split'
  local middle, waiting = math.floor(size / 2), size
  local made = {add_child(KEYS[1], n, ARGV[11]), add_child(KEYS[1], n, ARGV[12])}
  hand_news_on(KEYS[1], n, function(place)
    if place < middle then return made[1], place end
    return made[2], place - middle
  end)
  for half, number in ipairs(made) do
    local reported = accept_reported(prefix, KEYS[1], number, tonumber(ARGV[10]), now)
    waiting = waiting - reported
    if reported < (half == 1 and middle or size - middle) then redis.call('RPUSH', KEYS[2], number) end
  end
  redis.call('HSET', batch, 'state', 'moved', 'expired', 0, 'attempts', 0, 'unconfirmed', 0)
  if waiting > 0 then reopen(prefix, id, waiting, now) end
end
refused(prefix, id, tonumber(s[5]), now, tonumber(ARGV[7]), ARGV[8])
finish_when_done(prefix, id, now)
return did
