-- Joined into other scripts, after campaign and child: what the gateway did not take goes again.

-- return_untaken: of what was on the wire of batch n, the messages whose letter is p wait in a batch of their own, stored
-- as `packed`, in front of the queue, and count only there. Returns the letters of the others.
local function return_untaken(prefix, id, n, letters, packed, hours, now)
  local key = prefix .. 'c:' .. id
  local mask = redis.call('GET', key .. ':m:' .. n) or string.rep('.', #letters)
  local child, there, count, position = add_child(key, n, packed), {}, 0, -1
  for place = 0, #letters - 1 do
    position = next_on_wire(mask, position)
    if string.sub(letters, place + 1, place + 1) == 'p' then
      mask = marked(mask, position, 'p')
      there[place], count = count, count + 1
    end
  end
  hand_news_on(key, n, function(place) return there[place] and child, there[place] end)
  redis.call('SET', key .. ':m:' .. n, mask)
  put_back(prefix, id, child, count, hours, now)
  return (string.gsub(letters, 'p', ''))
end
