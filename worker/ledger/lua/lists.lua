-- Joined into other scripts: which suppression lists count for an account and a sender.
-- A list is SCOPE:PLACE; the scope is all or promotional, the place global, account:NAME or sender:TEXT.
-- PREFIX sup:lists (hash): list → how many numbers are on it; a list that is empty is not there.

-- add_every_sender: the places of all senders that have a list.
local function add_every_sender(prefix, places)
  local is_there = {}
  for _, list in ipairs(redis.call('HKEYS', prefix .. 'sup:lists')) do
    local place = string.match(list, '^%a+:(sender:.*)$')
    if place and not is_there[place] then places[#places + 1], is_there[place] = place, true end
  end
end

-- suppression_lists: what to ask for an account ("": not known yet) and a sender ("": none, "*": each message has its own,
-- so that every sender's list counts), of lists that are there.
local function suppression_lists(prefix, account, sender, promotional)
  local places = {'global'}
  if account ~= '' then places[#places + 1] = 'account:' .. account end
  if sender == '*' then
    add_every_sender(prefix, places)
  elseif sender ~= '' then
    places[#places + 1] = 'sender:' .. string.upper(sender)
  end
  local lists = {}
  local function is_there(list) return redis.call('HEXISTS', prefix .. 'sup:lists', list) == 1 end
  for _, place in ipairs(places) do
    local first = is_there('all:' .. place) and 1 or 4
    local last = promotional and is_there('promotional:' .. place) and 6 or 3
    if first < last then
      local kind = string.match(place, '^%a+') .. (sender == '*' and string.find(place, '^sender') and 's' or '')
      lists[#lists + 1] = {place = prefix .. 'sup:' .. place .. ':', kind = kind, first = first, last = last}
    end
  end
  return lists
end
