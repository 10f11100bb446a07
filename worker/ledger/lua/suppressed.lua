-- Joined into other scripts, after numbers: who is on a suppression list, and why.
-- Which lists there are, and which count: lists.lua, which is joined before where a batch is looked up.
-- PREFIX sup:PLACE:B (set): number * 8 + code, of the numbers whose remainder by 65536 is B. The code is the reason's place
-- in REASONS, and 3 more for the scope promotional: one look-up answers for both. Up to 512 of them are an array of 8 bytes
-- each in Redis; the products of numbers of up to 15 digits are exact in a Lua number.
-- Invariants: a number is on a list for one reason; the counts are exact, because the scripts that change a list keep them.
local REASONS = {'hand', 'dnd', 'opted-out'}

local function suppression_bucket(place, number) return place .. number % 65536 end

-- code_at: the first of the codes (1 to 3, 4 to 6, or 1 to 6) with which a place has the number; nil for none.
local function code_at(place, number, first, last)
  local bucket, least, found = suppression_bucket(place, number), number * 8 + first
  if last - first == 2 then
    found = redis.call('SMISMEMBER', bucket, least, least + 1, least + 2)
  else
    found = redis.call('SMISMEMBER', bucket, least, least + 1, least + 2, least + 3, least + 4, least + 5)
  end
  for i = 1, #found do
    if found[i] == 1 then return first + i - 1 end
  end
end

-- suppressed: "REASON@KIND" of the first of the lists on which the number is, or nil.
local function suppressed(lists, number)
  for i = 1, #lists do
    local list = lists[i]
    local code = code_at(list.place, number, list.first, list.last)
    if code then return REASONS[(code - 1) % 3 + 1] .. '@' .. list.kind end
  end
end

-- suppressed_positions: {position → "REASON@KIND"} of a packed batch's messages, and how many they are.
local function suppressed_positions(prefix, account, sender, promotional, packed)
  local lists, found, count = suppression_lists(prefix, account, sender, promotional), {}, 0
  if #lists == 0 then return found, 0 end
  for position, number in each_number(packed) do
    local reason = suppressed(lists, number)
    if reason then found[position], count = reason, count + 1 end
  end
  return found, count
end
