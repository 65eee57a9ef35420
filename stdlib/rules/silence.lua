--- A source that should speak is silent: no events of it for longer than it may be.
---
--- The rule knows every source that it has heard since it was loaded, and those in `EXPECTED` from its first event
--- on. When the others have moved the clock by more than `SILENT` seconds since the last event of a source, there is
--- an alert of risk 5, and when it speaks again one of risk 1. The time a source may be silent can be its own: the
--- table list `library: silent sources` has it by the source in the column `seconds`; 0 means as long as it likes.
---
--- Rules act on events only. So the clock is that of the events of all sources, and silence is told with the first
--- event of another source after it: when everything is silent, nothing is told, and who watches that must watch from
--- outside (`stellar pipeline --stats`, `/metrics` of `stellar serve`). Give the rule all events: what its filters
--- keep from it, it does not hear.
---
--- Fields: `@timestamp`, `observer.host.hostname`, `observer.host.ip`, `observer.host.fqdn`.
---
--- False positives: sources that sleep at night, machines that are switched off. After a gap of all sources (more
--- than `JUMP` seconds, told by three events on end) nobody is blamed, all begin anew; a single event of the far
--- future changes nothing.

local SOURCE = "observer.host.hostname" -- who is to be heard
local EXPECTED = {} -- sources that must be heard even if they never were: {"fw1", "dc1"}
local SILENT = 900 -- seconds that a source may be silent
local LOOK = 60 -- seconds between two looks at all sources
local JUMP = 3600 -- seconds ahead of the clock that are not believed at once
local ASK = 3600 -- seconds after which the table list is asked again for a source's own time
local SOURCES = 10000 -- how many sources are watched

local own = storage.new("library: silent sources")
-- When each source was heard, and what its last event said about it.
local heard, count = {}, 0
local clock, looked, ahead = nil, nil, 0

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

local function raise(source, s, event, risk, text, now)
  alert({
    template = text,
    risk_level = risk,
    asset_ip = s.ip,
    asset_hostname = s.hostname,
    asset_fqdn = s.fqdn,
    asset_mac = "",
    create_incident = risk > 1,
    assign_to_customer = false,
    incident_identifier = source,
    incident_group = "Defense Evasion",
    logs = {event},
    trim_logs = 1,
    mitre = risk > 1 and {"T1562.008"} or {},
    meta = {source = source, minutes = tostring(math.floor((now - s.time) / 60)), known = s.heard and "yes" or nil},
  })
end

local function allowed(source)
  return tonumber(own:get(source, "seconds")) or SILENT
end

-- Tells of everybody who is silent for too long.
local function look(event)
  for source, s in pairs(heard) do
    if not s.told and s.most > 0 and clock - s.time > s.most then
      -- Somebody may have given it more time since it was asked for.
      s.most = allowed(source)
      if s.most > 0 and clock - s.time > s.most then
        s.told = true
        raise(source, s, event, 5.0,
          "{{ .Meta.source }} is silent for {{ .Meta.minutes }} minutes"
            .. "{{ if not .Meta.known }}; it was never heard{{ end }}", clock)
      end
    end
  end
  looked = clock
end

local function add(source)
  if count >= SOURCES then return nil end
  count = count + 1
  heard[source] = {time = clock, most = allowed(source), asked = clock, ip = "", hostname = source, fqdn = ""}
  return heard[source]
end

-- Moves the clock on; whether the time is to be believed.
local function move(now)
  if clock == nil then
    clock, looked = now, now
    for _, source in ipairs(EXPECTED) do
      add(source)
    end
  elseif now > clock + JUMP then
    ahead = ahead + 1
    if ahead < 3 then return false end
    clock, looked = now, now
    for _, s in pairs(heard) do
      s.time = now
    end
  elseif now > clock then
    clock = now
  end
  ahead = 0
  return true
end

function on_logline(event)
  local source, now = event:gets(SOURCE), seconds(event:gets("@timestamp"))
  if source == "" or not now or not move(now) then return end
  local s = heard[source] or add(source)
  if s then
    if s.told then
      s.told = false
      raise(source, s, event, 1.0, "{{ .Meta.source }} is heard again after {{ .Meta.minutes }} minutes", now)
    end
    if now >= s.time then
      s.time, s.heard = now, true
      if now - s.asked > ASK then s.most, s.asked = allowed(source), now end
      s.ip = event:get_asset_data("observer.host.ip")
      s.hostname = event:get_asset_data("observer.host.hostname")
      s.fqdn = event:get_asset_data("observer.host.fqdn")
    end
  end
  if clock - looked >= LOOK then look(event) end
end
