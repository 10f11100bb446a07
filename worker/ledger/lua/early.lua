-- Joined into other scripts: reports that name a message by the gateway's id before that is known.
-- Ids become known with the answer to the call, or by another report. Till then such a report is kept with its batch
-- (set e:N, as JSON), for a day.

-- look_again: ids of the batch have become known. An entry without a body in the stream says so to whoever applies reports.
local function look_again(prefix, id, n)
  if redis.call('EXISTS', prefix .. 'c:' .. id .. ':e:' .. n) == 1 then
    redis.call('XADD', prefix .. 'reports', '*', 'account', '', 'campaign', id, 'batch', n, 'body', '')
  end
end
