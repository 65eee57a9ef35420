--- Suddenly there is far more than usual: an entity has more events in a span of time than in those before.
---
--- Events are counted for each entity (`ENTITY`, a host) in spans of `SPAN` seconds by their own times. When a count
--- is `LEAST` or more, `FACTOR` times the usual one, and above it by `DEVIATIONS` standard deviations, there is an
--- alert of risk 4, one for a span. What is usual is the mean of the spans before in which the entity had events,
--- where the latest count most; for the first `LEARN` spans nothing is told. A span with an alert changes what is
--- usual by half of its weight.
---
--- Fields: `@timestamp`, `observer.host.hostname`, `observer.host.ip`, `observer.host.fqdn`.
---
--- False positives: nights after days, Mondays after Sundays; where that matters measure a profile by hours and days
--- of the week and compare with that. Set `WANTED` to count events of one kind only. What is usual is in the table
--- list `library: usual volume`, written once for each entity and span; the counts of the present span are lost when
--- the program ends, so that the span after a start may be told too late.

local ENTITY = "observer.host.hostname" -- whose events are counted
local WANTED = function(event) return true end -- which events are counted
local SPAN = 600 -- seconds of a span
local LEAST = 100 -- counts below that are never told
local FACTOR = 3 -- how many times the usual count
local DEVIATIONS = 4 -- how many standard deviations above it
local LEARN = 6 -- spans before the first alert
local WEIGHT = 0.1 -- what the latest span counts in what is usual
local ENTITIES = 20000 -- how many entities are counted at a time

local usual = storage.new("library: usual volume")
local counts, known = {}, 0

-- Seconds since 1970 of a time as RFC 3339 has it; nil for another text.
local function seconds(text)
  local y, m, d, h, min, s, zone = text:match("^(%d%d%d%d)-(%d%d)-(%d%d)[Tt ](%d%d):(%d%d):([%d.]+)(.*)$")
  if not y then return nil end
  y, m = tonumber(y), tonumber(m)
  -- The year begins in March, so that a leap day is its last.
  if m < 3 then y, m = y - 1, m + 12 end
  local days = 365 * y + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400)
    + math.floor((153 * m - 457) / 5) + tonumber(d) - 719469
  local sign, zh, zm = zone:match("^([+-])(%d%d):?(%d%d)$")
  local offset = sign and (zh * 60 + zm) * 60 or 0
  if sign == "-" then offset = -offset end
  return days * 86400 + h * 3600 + min * 60 + tonumber(s) - offset
end

-- What is usual for an entity: the number of spans, the mean, the variance.
local function remembered(entity)
  local n, mean, variance = tostring(usual:get(entity, "figures")):match("^(%S+) (%S+) (%S+)$")
  return tonumber(n) or 0, tonumber(mean) or 0, tonumber(variance) or 0
end

-- Ends a span: its count becomes part of what is usual, with exponentially less weight as time goes by.
local function close(entity, c)
  local weight = math.max(WEIGHT, 1 / (c.n + 1))
  if c.told then weight = weight / 2 end
  local difference = c.count - c.mean
  c.mean = c.mean + weight * difference
  c.variance = (1 - weight) * (c.variance + weight * difference * difference)
  c.n = c.n + 1
  usual:set(entity, "figures", string.format("%d %.3f %.3f", c.n, c.mean, c.variance), "1440h")
end

-- Entities whose span is over make room for others.
local function make_room(span)
  for entity, c in pairs(counts) do
    if c.span < span then
      close(entity, c)
      counts[entity] = nil
      known = known - 1
    end
  end
end

function on_logline(event)
  if not WANTED(event) then return end
  local entity, now = event:gets(ENTITY), seconds(event:gets("@timestamp"))
  if entity == "" or not now then return end
  local span = math.floor(now / SPAN)
  local c = counts[entity]
  if c == nil then
    if known >= ENTITIES then make_room(span) end
    if known >= ENTITIES then return end
    c = {span = span, count = 0}
    c.n, c.mean, c.variance = remembered(entity)
    counts[entity] = c
    known = known + 1
  end
  -- Events of a span that is over come too late.
  if span < c.span then return end
  if span > c.span then
    close(entity, c)
    c.span, c.count, c.told = span, 0, false
  end
  c.count = c.count + 1
  if c.told or c.n < LEARN or c.count < LEAST or c.count < FACTOR * c.mean then return end
  if c.count < c.mean + DEVIATIONS * math.sqrt(c.variance) then return end
  c.told = true
  alert({
    template = "{{ .Meta.entity }} has {{ .Meta.count }} events in " .. math.floor(SPAN / 60)
      .. " minutes so far; {{ .Meta.mean }} are usual",
    risk_level = 4.0,
    asset_ip = event:get_asset_data("observer.host.ip"),
    asset_hostname = event:get_asset_data("observer.host.hostname"),
    asset_fqdn = event:get_asset_data("observer.host.fqdn"),
    asset_mac = "",
    create_incident = false,
    assign_to_customer = false,
    incident_identifier = entity,
    incident_group = "Impact",
    logs = {event},
    trim_logs = 1,
    mitre = {"T1498", "T1499"},
    meta = {entity = entity, count = tostring(c.count), mean = tostring(math.floor(c.mean + 0.5))},
  })
end
