-- What delivery reports tell of the messages of one batch.
-- KEYS[1] campaign hash  KEYS[2] batch state  KEYS[3] its news  KEYS[4] its mask  KEYS[5] the campaign's queue
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] campaign  ARGV[4] batch n  ARGV[5] the batch's state as the caller read it
-- ARGV[6] spread 0 to 1  ARGV[7] of the last 100 reports so many misconfigured ones pause the campaign
-- ARGV[8] hours for which it is remembered who was messaged; then per report: position, outcome as the caller read it (a,
-- u, r: rejected, of a resend, or w: any other), line, gateway's id ("" where it is known), code and words of the
-- rejection, feedback
-- Returns "changed" (read it again), or "told" and the positions of messages that reports can not change.
-- Invariant: of two news the greater one stands, each counted once; an unconfirmed or waiting message becomes accepted,
-- so does one whose resend was rejected, or ended before it went, and nothing else changes an outcome. The end does not
-- depend on the order of reports, nor on our own settlement's.
-- Called by: worker.ledger.receiving.receive
-- joined: clock pace lane messages numbers recent outcomes reported offer campaign again news early
local now, prefix, id, n = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local s = redis.call('HMGET', KEYS[2], 'state', 'attempt', 'expired', 'children', 'resolved', 'account', 'taken_at')
local seen = table.concat({s[1] or '', s[2] or '', s[3] or '', s[4] or '', s[5] or ''}, '|')
if seen ~= ARGV[5] then return {'changed'} end
local reply, over, has_named = {'told'}, end_of(KEYS[1]), false
local is_resend = redis.call('SISMEMBER', KEYS[1] .. ':resent', n) == 1

for i = 9, #ARGV, 6 do
  local position, outcome, line, gateway_id, refusal, feedback = unpack(ARGV, i, i + 5)
  local mask = redis.call('GET', KEYS[4]) or ''
  local mark = string.sub(mask, position + 1, position + 1)
  local old = redis.call('HGET', KEYS[3], position)
  if mark == 'r' then outcome = 'a' end
  -- What ended without a call of this batch got nothing by it; where it is a resend, by the first call perhaps.
  local ended = mark == 's' or (over and not s[1] and mark ~= 'r')
  if mark == 'p' or (ended and not is_resend) then
    reply[#reply + 1] = position
  elseif is_newer(line, old) then
    redis.call('HSET', KEYS[3], position, line)
    if outcome == 'a' or (outcome ~= 'w' and old) then
      if old then count_news(KEYS[1], old, -1) end
      count_news(KEYS[1], line, 1)
    elseif outcome ~= 'w' then
      redis.call('HINCRBY', KEYS[1], outcome == 'u' and 'unconfirmed' or 'rejected', -1)
      redis.call('HINCRBY', KEYS[1], 'accepted', 1)
      count_news(KEYS[1], line, 1)
      if outcome == 'r' then redis.call('HINCRBY', KEYS[1] .. ':codes', refusal, -1)
      elseif redis.call('HINCRBY', KEYS[2], 'unconfirmed', -1) == 0 then forget_resend(prefix, id, n) end
    elseif mark == 's' then
      redis.call('SET', KEYS[4], marked(mask, position, 'r'))
      redis.call('HINCRBY', KEYS[1], 'suppressed', -1)
      redis.call('HINCRBY', KEYS[1], 'queued', 1)
      redis.call('HINCRBY', KEYS[1], 'accepted', 1)
      count_news(KEYS[1], line, 1)
    elseif not s[1] then
      redis.call('HINCRBY', KEYS[1], over or 'pending', -accept_reported(prefix, KEYS[1], n, tonumber(ARGV[8]), now))
      if not next_on_wire(redis.call('GET', KEYS[4]), -1) then redis.call('LREM', KEYS[5], 1, n) end
    end
    feed_back(prefix, id, feedback, s[6], tonumber(s[7]), now, tonumber(ARGV[6]), tonumber(ARGV[7]))
  end
  if gateway_id ~= '' and name(KEYS[3], position, gateway_id) then has_named = true end
end
if has_named then look_again(prefix, id, n) end
finish_when_done(prefix, id, now)
return reply
