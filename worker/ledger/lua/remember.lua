-- Remembers that numbers were messaged.
-- ARGV[1] now us  ARGV[2] prefix  ARGV[3] hours for which they are remembered
-- ARGV[4] the numbers, as at the head of a packed batch
-- Returns 1.
-- Invariant: as in recent.lua.
-- Called by: worker.ledger.suppression.remember
-- joined: clock numbers recent
remember(ARGV[2], tonumber(ARGV[3]), clock(ARGV[1]), ARGV[4], nil, write_certain)
return 1
