-- Joined into other scripts, after child: a batch that is one message of another, where a gateway takes one a call.
-- Such a part is stored as that message's number and "R", the other's n, position.

local function part_of(packed)
  local n, position = string.match(packed, '^R(%d+) (%d+)$', 3 + 8 * struct.unpack('>H', packed))
  return n, tonumber(position)
end

-- part: the first message that waits in batch n moves to a batch of its own, and out of the queue goes the last one.
local function part(key, n, packed, mask, count)
  local position = next_on_wire(mask, -1, count)
  local reference = '\0\1' .. string.sub(packed, 3 + 8 * position, 10 + 8 * position) .. 'R' .. n .. ' ' .. position
  mask = marked(mask == '' and string.rep('.', count) or mask, position, 'p')
  redis.call('SET', key .. ':m:' .. n, mask)
  if not next_on_wire(mask, -1, count) then redis.call('LPOP', key .. ':queue') end
  return add_child(key, n, reference), reference
end
