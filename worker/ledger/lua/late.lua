-- Joined into other scripts, after outcomes, left and again: a word about an attempt may come after it has expired.

-- off_the_wire: `size` messages of batch n, sending under the attempt taken at `taken`, are in no counter from now on; where
-- it is late, what the sweep has made of them is taken back. `letters` say what left (settle.lua).
local function off_the_wire(prefix, id, n, size, letters, taken, late)
  local key = prefix .. 'c:' .. id
  if not late then
    redis.call('HINCRBY', key, 'in_flight', -size)
    return
  end
  count_outcomes(key, n, string.rep('u', size), -1)
  forget_resend(prefix, id, n)
  forget_sent(prefix, key, n, letters, taken)
end
