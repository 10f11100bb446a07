-- Joined into other scripts: which messages of a batch go on the wire, and what delivery reports have told of them.
-- Mask (string m:N; absent: all '.'), a letter a message: '.' goes or went, 'p' stands in another batch now, 's'
-- suppressed, 'r' accepted by a report that came while it did not go. News (hash d:N): position, from 0, → line as in
-- worker/domain/delivery.py; 'i' .. position → the gateway's id of it; 's' .. position → why it was suppressed.

local function count_of(key, n) return struct.unpack('>H', redis.call('GETRANGE', key .. ':b:' .. n, 0, 1)) end

local function news_of(key, n)
  local all, news = redis.call('HGETALL', key .. ':d:' .. n), nil
  for i = 1, #all, 2 do
    local position = tonumber(all[i])
    if position then
      news = news or {}
      news[position] = all[i + 1]
    end
  end
  return news
end

-- next_on_wire: the position after `position` that goes, or nothing.
local function next_on_wire(mask, position, count)
  if mask == '' then return position + 1 < count and position + 1 or nil end
  local found = string.find(mask, '.', position + 2, true)
  return found and found - 1
end

local function marked(mask, position, letter)
  return string.sub(mask, 1, position) .. letter .. string.sub(mask, position + 2)
end
