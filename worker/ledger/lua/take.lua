-- Gives a process the next batches of a lane, each with the slot at which it may go, and writes the intent to send them.
-- KEYS[1] lane  KEYS[2] its campaigns by turn  KEYS[3] its seats  KEYS[4] its attempts  KEYS[5] all attempts by expiry
-- KEYS[6] lanes by due instant  KEYS[7] clock
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] account  ARGV[4] owner  ARGV[5] look-ahead us  ARGV[6] expiry us
-- ARGV[7] lead us: how long the asker needs to be ready
-- ARGV[8] messages that one call may carry  ARGV[9] us that a call may be late
-- ARGV[10…] attempt ids, as many as batches are wanted; none asks only how long to wait
-- Returns {"batches", now, {attempt, campaign, n, slot us, packed, mask, packed whole or ""}…}, {"wait", us}, {"full"},
-- {"stop"} or {"unseated"}.
-- Invariant: a batch given has left its queue and is recorded as sending under an id that nothing has voided; slots
-- are spaced by both ceilings and never earlier than a pause; at most `concurrency` batches of live owners are sending.
-- Called by: worker.ledger.taking.take
-- joined: clock pace slots room messages offer intent campaign numbers lists suppressed recent child part welcome turn next_batch
local now, prefix, account, owner = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local horizon, ready, wanted = now + tonumber(ARGV[5]), now + tonumber(ARGV[7]), #ARGV - 9
if number(redis.call('ZSCORE', KEYS[3], owner), 0) <= now then return {'unseated'} end
local paused_until = pause_end(KEYS[1], now)
local lane = lane_of(KEYS[1])

local function stop(due)
  if due then redis.call('ZADD', KEYS[6], due, account) else redis.call('ZREM', KEYS[6], account) end
  return {'stop'}
end
local probe_at = lane.is_held and math.min(lane.probe_at, now + lane.probe_us)
if redis.call('ZCARD', KEYS[2]) == 0 or (probe_at and lane.probe_at == 0) then return stop() end
if probe_at and probe_at > now then return stop(probe_at) end
if paused_until > now + 5000000 then return stop(paused_until) end

space_slots(KEYS[1], lane, now, horizon)
local room = room_in(KEYS[4], KEYS[3], (lane.is_careful or probe_at) and 1 or lane.concurrency, now)
if room <= 0 then return {'full'} end

local given = {'batches', now}
for i = 1, math.max(1, math.min(wanted, room)) do
  local slot = next_slot(lane, math.max(ready, paused_until))
  if slot > horizon or wanted == 0 then
    if i == 1 then return {'wait', math.ceil(slot - now)} end
    break
  end
  local attempt = ARGV[9 + i]
  if redis.call('EXISTS', prefix .. 'void:' .. attempt) + redis.call('HEXISTS', KEYS[4], attempt) > 0 then break end
  local served, latest = lane.served + i, slot + tonumber(ARGV[9])
  local id, n, packed, mask, whole, size = next_batch(prefix, account, served, tonumber(ARGV[8]), slot, latest, now)
  if not id then
    if i == 1 and id == nil then return stop() end
    break
  end
  write_intent(prefix, account, owner, attempt, id, n, size, slot, now, now + tonumber(ARGV[6]))
  lane.call_at, lane.message_at, lane.message_n = slot, slot, size
  given[#given + 1] = {attempt, id, n, string.format('%.0f', slot), packed, mask, whole}
end
if #given == 2 then return {'wait', 0} end
if probe_at then redis.call('HSET', KEYS[1], 'probe_at', now + lane.probe_us) end
redis.call('HSET', KEYS[1], 'call_at', lane.call_at, 'message_at', lane.message_at, 'message_n', lane.message_n,
  'served', lane.served + #given - 2)
if number(redis.call('HGET', KEYS[7], 'longest'), 0) < tonumber(ARGV[6]) then
  redis.call('HSET', KEYS[7], 'longest', ARGV[6])
end
return given
