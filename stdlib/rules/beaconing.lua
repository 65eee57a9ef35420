--- A program calls home by the clock: connections of a host with one destination whose pauses are all about the same.
---
--- `CONNECTIONS` connections at a time of each pair of hosts and a port are looked at: when the usual difference of
--- their pauses from the median is `JITTER` of the median or less (the median absolute deviation, which single gaps
--- do not spoil), there is an alert of risk 6. Pauses shorter than `SHORT` are no beacon but one conversation. There
--- is no second alert for the same pair within `QUIET`. Pauses that vary by chance by a third of themselves still
--- count at 0.2; people come to 0.5 and more.
---
--- Fields: `@timestamp`, `initiator.host.ip`, `target.host.ip`, `target.socket.port`, `observer.host.ip`,
--- `observer.host.hostname`, `observer.host.fqdn`.
---
--- False positives: everything that asks by the clock and may: updates, time servers, monitoring, mail. Put
--- destinations into the table list `library: destinations by the clock` (key: the address, any column), and give the
--- rule connections that leave the network only. The groups hold at most `CONNECTIONS` events of each pair; with
--- millions of pairs raise `max_rule_memory_mb`. The profile `beaconing` measures the same over weeks.

local SOURCE = "initiator.host.ip" -- who opens the connection
local TARGET = "target.host.ip" -- whom it reaches
local PORT = "target.socket.port" -- on which port
local CONNECTIONS = 16 -- how many connections are looked at
local JITTER = 0.2 -- the most usual difference of pauses, as a part of their median
local SHORT = 20 -- seconds below which a median pause is none
local WINDOW = "24h" -- within which time; what calls more seldom is not seen
local QUIET = 86400 -- seconds without a second alert for a pair

local told = storage.new("library: beacons told")
local usual = storage.new("library: destinations by the clock")

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

-- Whether the time in the cell is less than `span` seconds away. Times of events are compared, not those of this machine,
-- so that old events are judged as new ones.
local function within(cell, now, span)
  local past = tonumber(cell)
  return past ~= nil and math.abs(now - past) < span
end

local function median(sorted)
  local n = #sorted
  if n % 2 == 1 then return sorted[(n + 1) / 2] end
  return (sorted[n / 2] + sorted[n / 2 + 1]) / 2
end

-- The median pause between times in order, and the median difference from it.
local function rhythm(times)
  local pauses = {}
  for i = 2, #times do
    pauses[#pauses + 1] = times[i] - times[i - 1]
  end
  table.sort(pauses)
  local middle = median(pauses)
  local differences = {}
  for i, pause in ipairs(pauses) do
    differences[i] = math.abs(pause - middle)
  end
  table.sort(differences)
  return middle, median(differences)
end

function on_connections(grouped)
  if grouped.aggregatedData.aggregated.total < CONNECTIONS then return end
  local events = grouped.aggregatedData.loglines
  local times = {}
  for i, event in ipairs(events) do
    times[i] = seconds(event:gets("@timestamp"))
  end
  local pause, difference = rhythm(times)
  local last = events[#events]
  local source, target, port = last:gets(SOURCE), last:gets(TARGET), last:gets(PORT)
  local key, now = source .. " to " .. target .. " " .. port, times[#times]
  local even = pause >= SHORT and difference <= JITTER * pause
  if even and not within(told:get(key, "at"), now, QUIET) then
    told:set(key, "at", now, "48h")
    alert({
      template = "{{ .Meta.source }} calls {{ .Meta.target }} on port {{ .Meta.port }} every {{ .Meta.pause }} seconds, "
        .. "give or take {{ .Meta.difference }}: {{ .Meta.count }} times so far",
      risk_level = 6.0,
      asset_ip = last:get_asset_data("observer.host.ip"),
      asset_hostname = last:get_asset_data("observer.host.hostname"),
      asset_fqdn = last:get_asset_data("observer.host.fqdn"),
      asset_mac = "",
      create_incident = true,
      assign_to_customer = false,
      incident_identifier = key,
      incident_group = "Command and Control",
      logs = events,
      trim_logs = 20,
      mitre = {"T1071", "T1029"},
      meta = {
        source = source,
        target = target,
        port = port,
        pause = tostring(math.floor(pause + 0.5)),
        difference = tostring(math.floor(difference * 10 + 0.5) / 10),
        count = tostring(#events),
      },
    })
  end
  -- The next connections are looked at by themselves; the last one begins their pauses.
  connections:clear()
  connections:feed(last)
end

function on_logline(event)
  local target = event:gets(TARGET)
  if target == "" or event:gets(SOURCE) == "" or usual:get(target) then return end
  if seconds(event:gets("@timestamp")) then
    connections:feed(event)
  end
end

connections = grouper.new({SOURCE, TARGET, PORT}, {}, "@timestamp,RFC3339", WINDOW, on_connections)
