-- Puts numbers on a suppression list.
-- KEYS[1] lists by name
-- ARGV[1] the list's name  ARGV[2] key of its place, to which the bucket is added  ARGV[3] first code of its scope
-- ARGV[4] code of scope and reason  ARGV[5] the numbers, as at the head of a packed batch
-- Returns how many of them were not on it before.
-- Invariant: as in suppressed.lua. A number that is on the list stays there for the reason that it has.
-- Called by: worker.ledger.suppression.suppress
-- joined: numbers suppressed
local added, first = 0, tonumber(ARGV[3])
for _, number in each_number(ARGV[5]) do
  if not code_at(ARGV[2], number, first, first + 2) then
    redis.call('SADD', suppression_bucket(ARGV[2], number), number * 8 + ARGV[4])
    added = added + 1
  end
end
if added > 0 then redis.call('HINCRBY', KEYS[1], ARGV[1], added) end
return added
