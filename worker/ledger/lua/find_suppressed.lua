-- Looks which numbers of a production may not be messaged: on a suppression list, or messaged too lately.
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] account, or "" where it is not known yet  ARGV[4] sender, "" or "*"
-- ARGV[5] 1 where lists of the scope promotional count  ARGV[6] hours within which nobody is messaged again, 0: no cap
-- ARGV[7] the numbers, as at the head of a packed batch
-- Returns {position, why, position, why …}; a position is 0 for the first number.
-- Invariant: nothing is changed.
-- Called by: worker.ledger.suppression.find_suppressed
-- joined: clock numbers lists suppressed recent
local found = suppressed_positions(ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1', ARGV[7])
for position, why in pairs(recent_positions(ARGV[2], tonumber(ARGV[6]), clock(ARGV[1]), ARGV[7])) do
  found[position] = found[position] or why
end
local reply = {}
for position, why in pairs(found) do
  reply[#reply + 1] = position
  reply[#reply + 1] = why
end
return reply
