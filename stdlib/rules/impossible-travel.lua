--- An account logs in at two places so far from each other that nobody travels so fast.
---
--- The last successful login of each account is kept for `WINDOW`. When the next one is `FAR` kilometres away or
--- more, and the way would have taken a speed above `FAST`, there is an alert of risk 6 with both logins. The
--- distance is that of the great circle, the speed that of the straight way.
---
--- Rules cannot ask where an address is: the events must carry latitude and longitude in degrees. In a pipeline they
--- get them from a database of MaxMind's form (`[functions] geo`) by the step before the rule, or in a file by
--- `stellar map --set "geo=GEO_GET(initiator.host.ip)"`:
---
--- ```yaml
--- - name: filter_stellar
---   match: login
---   set: {geo: GEO_GET(initiator.host.ip)}
--- ```
---
--- Fields: `@timestamp`, `action`, `event.result.name`, `outcome.name`, `initiator.user.name`, `initiator.host.ip`,
--- `geo.latitude`, `geo.longitude`, `geo.city`, `geo.country`, `observer.host.ip`, `observer.host.hostname`,
--- `observer.host.fqdn`.
---
--- False positives: ways out of VPNs, mobile networks and clouds, whose places are those of their owners; accounts
--- that several people or programs use. Put addresses into the table list `library: addresses without a place` and
--- accounts into `library: accounts of several people` (any column).

local USER = "initiator.user.name" -- the account that logs in
local SOURCE = "initiator.host.ip" -- where the login comes from
local LATITUDE = "geo.latitude" -- degrees, north is positive
local LONGITUDE = "geo.longitude" -- degrees, east is positive
local CITY = "geo.city" -- the name of the place, for people
local COUNTRY = "geo.country" -- its country, for people
local ACTION = "action" -- tells logins from other events
local LOGINS = {"login", "logon"} -- its values that mean a login
local GOOD = {"success"} -- results that mean a successful login
local FAR = 500 -- kilometres below which databases are too coarse
local FAST = 900 -- kilometres an hour that a plane does
local WINDOW = "24h" -- how long the last login is kept

local nowhere = storage.new("library: addresses without a place")
local shared = storage.new("library: accounts of several people")

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

-- Kilometres between two places on a ball of the Earth's mean radius, by the haversine formula.
local function distance(lat1, lon1, lat2, lon2)
  local rad = math.pi / 180
  local north, east = math.sin((lat2 - lat1) * rad / 2), math.sin((lon2 - lon1) * rad / 2)
  local h = north * north + math.cos(lat1 * rad) * math.cos(lat2 * rad) * east * east
  return 2 * 6371 * math.asin(math.min(1, math.sqrt(h)))
end

local function place_of(event)
  local city, country = event:gets(CITY), event:gets(COUNTRY)
  if city ~= "" and country ~= "" then return city .. ", " .. country end
  if city .. country ~= "" then return city .. country end
  return event:gets(LATITUDE) .. " " .. event:gets(LONGITUDE)
end

local function compare_logins(before, after)
  if before:gets(SOURCE) == after:gets(SOURCE) then return end
  local way = distance(tonumber(before:gets(LATITUDE)), tonumber(before:gets(LONGITUDE)),
    tonumber(after:gets(LATITUDE)), tonumber(after:gets(LONGITUDE)))
  local time = seconds(after:gets("@timestamp")) - seconds(before:gets("@timestamp"))
  -- Clocks are not exact: less than a minute counts as one.
  local speed = way / (math.max(time, 60) / 3600)
  if way < FAR or speed < FAST then return end
  alert({
    template = "{{ .Meta.user }} logged in from {{ .Meta.from }} ({{ .Meta.from_ip }}) and {{ .Meta.minutes }} minutes "
      .. "later from {{ .Meta.to }} ({{ .Meta.to_ip }}), {{ .Meta.kilometres }} km away: {{ .Meta.speed }} km/h",
    risk_level = 6.0,
    asset_ip = after:get_asset_data("observer.host.ip"),
    asset_hostname = after:get_asset_data("observer.host.hostname"),
    asset_fqdn = after:get_asset_data("observer.host.fqdn"),
    asset_mac = "",
    create_incident = true,
    assign_to_customer = false,
    incident_identifier = after:gets(USER):lower(),
    incident_group = "Initial Access",
    logs = {before, after},
    trim_logs = 2,
    mitre = {"T1078"},
    meta = {
      user = after:gets(USER),
      from = place_of(before),
      from_ip = before:gets(SOURCE),
      to = place_of(after),
      to_ip = after:gets(SOURCE),
      minutes = tostring(math.floor(time / 60)),
      kilometres = tostring(math.floor(way)),
      speed = tostring(math.floor(speed)),
    },
  })
end

-- The group of an account holds its last login only, and with the next one both.
function on_login(grouped)
  if grouped.aggregatedData.aggregated.total < 2 then return end
  local events = grouped.aggregatedData.loglines
  for i = 2, #events do
    compare_logins(events[i - 1], events[i])
  end
  logins:clear()
  logins:feed(events[#events])
end

function on_logline(event)
  if not contains(LOGINS, event:gets(ACTION):lower()) then return end
  if not contains(GOOD, event:gets("event.result.name", event:gets("outcome.name")):lower()) then return end
  local lat, lon = tonumber(event:gets(LATITUDE)), tonumber(event:gets(LONGITUDE))
  if not lat or not lon or not seconds(event:gets("@timestamp")) then return end
  if event:gets(USER) == "" or shared:get(event:gets(USER)) or nowhere:get(event:gets(SOURCE)) then return end
  logins:feed(event)
end

logins = grouper.new({USER}, {SOURCE}, "@timestamp,RFC3339", WINDOW, on_login)
