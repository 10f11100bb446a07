-- Gives one process the run of a due time, for as long as it says that it is at work.
-- KEYS[1] schedule hash  KEYS[2] all schedules
-- ARGV[1] now us  ARGV[2] name  ARGV[3] due us  ARGV[4] token  ARGV[5] us until which the claim holds from now
-- ARGV[6] 1 where a person asks: also while paused, and again for what is done
-- Returns "yours", "busy" (another has a run of it), "done", "paused" or "gone".
-- Invariant: one token at a time has a run, and no other due time begins before it has ended.
-- Called by: worker.ledger.schedules.claim
-- joined: clock
local now, due, lease = clock(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[5])
local s = redis.call('HMGET', KEYS[1], 'doc', 'done', 'paused', 'run_due', 'token', 'until')
if not s[1] then return 'gone' end
if ARGV[6] ~= '1' and s[3] and s[3] ~= '' then return 'paused' end
local until_us = tonumber(s[6] or 0)
if s[5] and s[5] ~= ARGV[4] and until_us > now and until_us <= now + lease then return 'busy' end
if s[4] and tonumber(s[4]) ~= due then return 'busy' end
if not s[4] and ARGV[6] ~= '1' and due <= tonumber(s[2]) then return 'done' end
redis.call('HSET', KEYS[1], 'run_due', ARGV[3], 'token', ARGV[4], 'until', now + lease)
redis.call('ZADD', KEYS[2], now + lease, ARGV[2])
return 'yours'
