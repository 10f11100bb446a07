-- Writes what became of a batch, once, and moves the counters. What the gateway did not take of it goes again.
-- KEYS[1] campaign hash  KEYS[2] batch state  KEYS[3] batch outcomes  KEYS[4] lane  KEYS[5] its attempts
-- KEYS[6] all attempts by expiry
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] account  ARGV[4] attempt  ARGV[5] campaign
-- ARGV[6] verdict ok|throttled|hold|lost, or refused: every message, with 400 (for the lane that is ok)
-- ARGV[7] verdict's words  ARGV[8] pause us asked by the gateway  ARGV[9] unconfirmed calls in a row that hold the account
-- ARGV[10] outcomes, a letter a message on the wire: a(ccepted) r(ejected) u(nconfirmed), or p: not taken, it moves to
-- another batch  ARGV[11] the first three, packed  ARGV[12] refusals in a row that pause the campaign  ARGV[13] batch n
-- ARGV[14] hours for which it is remembered who was messaged  ARGV[15] spread 0 to 1  ARGV[16] the packed batch of what
-- was not taken, or ""; then code and words of each rejected one, in their order
-- Returns "settled", "late" (it had expired; the answer corrects it), "already" or "gone".
-- Invariant: only the attempt that holds the batch, or that last held it and expired, settles it, and only once.
-- Called by: worker.ledger.settling.settle
-- joined: clock pace lane messages child numbers recent left outcomes reported offer campaign untaken breaker again late early
local now, prefix, attempt = clock(ARGV[1]), ARGV[2], ARGV[4]
local letters, n = ARGV[10], ARGV[13]
local s = redis.call('HMGET', KEYS[2], 'state', 'attempt', 'size', 'expired', 'taken_at')
if s[2] ~= attempt then return 'gone' end
local size = tonumber(s[3])
if #letters ~= size then return redis.error_reply('BULKSEND counts differ from the batch') end
local late = s[1] == 'settled' and s[4] == '1'
if s[1] ~= 'sending' and not late then return 'already' end

off_the_wire(prefix, ARGV[5], n, size, letters, tonumber(s[5]), late)
if not late then
  redis.call('HDEL', KEYS[5], attempt)
  redis.call('ZREM', KEYS[6], ARGV[3] .. ' ' .. attempt)
  redis.call('HINCRBY', KEYS[1], 'calls', 1)
end
if ARGV[16] ~= '' then letters = return_untaken(prefix, ARGV[5], n, letters, ARGV[16], tonumber(ARGV[14]), now) end
local unconfirmed = count_outcomes(KEYS[1], n, letters, 1, {unpack(ARGV, 17)})
redis.call('HSET', KEYS[2], 'state', 'settled', 'expired', 0, 'attempts', 1, 'unconfirmed', unconfirmed)
if unconfirmed > 0 then plan_resend(prefix, ARGV[5], n, now) end
redis.call('SET', KEYS[3], ARGV[11])
look_again(prefix, ARGV[5], n)
remember_sent(prefix, KEYS[1], n, letters, tonumber(ARGV[14]), tonumber(s[5]), write_certain)
if ARGV[6] == 'refused' then
  refused(prefix, ARGV[5], tonumber(s[5]), now, tonumber(ARGV[12]), ARGV[7])
elseif ARGV[6] == 'ok' or string.find(letters, 'a', 1, true) then
  -- What was taken in part and not accepted says nothing of the rest of the campaign.
  redis.call('HSET', KEYS[1], 'refusals', 0, 'passed', 1)
end
if ARGV[6] == 'throttled' then redis.call('HINCRBY', KEYS[1], 'throttled', 1) end
local kind = ARGV[6] == 'refused' and 'ok' or ARGV[6]
verdict(KEYS[4], kind, now, tonumber(s[5]), ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[15]), tonumber(ARGV[9]))
finish_when_done(prefix, ARGV[5], now)
return late and 'late' or 'settled'
