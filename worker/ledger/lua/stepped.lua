-- Joined into other scripts: what a step of the server's clock has moved too far ahead comes back.

-- cut: no member of the sorted set lies beyond `latest`.
local function cut(key, latest)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, string.format('(%.0f', latest), '+inf')) do
    redis.call('ZADD', key, latest, member)
  end
end

-- look_again_at_lanes: a lane is due later only while it pauses or until it is probed: what lies further ahead is looked at
-- again by a take. At most `most` of the set of lanes by due instant.
local function look_again_at_lanes(prefix, lanes, now, most)
  for _, account in ipairs(redis.call('ZRANGEBYSCORE', lanes, string.format('(%.0f', now), '+inf', 'LIMIT', 0, most)) do
    local lane = redis.call('HMGET', prefix .. 'lane:' .. account, 'paused_until', 'pause_us', 'probe_at', 'probe_us', 'state')
    local latest = math.min(tonumber(lane[1] or 0), now + tonumber(lane[2] or 0))
    if lane[5] == 'held' then
      latest = math.max(latest, math.min(tonumber(lane[3] or 0), now + tonumber(lane[4] or 0)))
    end
    if tonumber(redis.call('ZSCORE', lanes, account)) > latest then redis.call('ZADD', lanes, now, account) end
  end
end
