-- Joined into other scripts: the numbers that lie open at the head of a packed batch (layout: packing.py).

-- each_number: for position, number in each_number(packed) do …; the first message has position 0.
local function each_number(packed)
  local count, position = struct.unpack('>H', packed), -1
  return function()
    position = position + 1
    if position == count then return end
    local high, low = struct.unpack('>I4I4', packed, 3 + 8 * position)
    return position, high * 4294967296 + low
  end
end
