-- Takes numbers off a suppression list.
-- KEYS[1] lists by name
-- ARGV[1] the list's name  ARGV[2] key of its place, to which the bucket is added  ARGV[3] first code of its scope
-- ARGV[4] the numbers, as at the head of a packed batch
-- Returns how many of them were on it.
-- Invariant: as in suppressed.lua.
-- Called by: worker.ledger.suppression.unsuppress
-- joined: numbers suppressed
local removed, first = 0, tonumber(ARGV[3])
for _, number in each_number(ARGV[4]) do
  local code = code_at(ARGV[2], number, first, first + 2)
  if code then
    redis.call('SREM', suppression_bucket(ARGV[2], number), number * 8 + code)
    removed = removed + 1
  end
end
if removed > 0 and redis.call('HINCRBY', KEYS[1], ARGV[1], -removed) == 0 then redis.call('HDEL', KEYS[1], ARGV[1]) end
return removed
