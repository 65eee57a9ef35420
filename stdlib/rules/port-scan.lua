--- A host looks for open ports: it tries many ports of one host (a scan), or one port of many hosts (a sweep).
---
--- For a scan the ports of each pair of hosts are counted, for a sweep the hosts that an address tries on each port.
--- `PORTS` ports or `HOSTS` hosts within `WINDOW` are an alert of risk 5 or 6. The ports in `COMMON` count for scans
--- only: browsers and mail servers reach many hosts on them. There is no second alert for the same pair, or the same
--- address and port, within `QUIET`. Feed it the connections of a firewall or of a sensor; refused ones tell most.
---
--- Fields: `@timestamp`, `initiator.host.ip`, `target.host.ip`, `target.socket.port`, `observer.host.ip`,
--- `observer.host.hostname`, `observer.host.fqdn`.
---
--- False positives: scanners that are meant to scan, monitoring, hosts behind one address. Put them into the table
--- list `library: scanners` (key: the address, any column). A scan slower than `PORTS` in `WINDOW` is not seen.

local SOURCE = "initiator.host.ip" -- who opens the connection
local TARGET = "target.host.ip" -- whom it reaches
local PORT = "target.socket.port" -- on which port
local PORTS = 30 -- how many ports of one host are too many
local HOSTS = 30 -- how many hosts on one port are too many
local WINDOW = "1m" -- within which time
local COMMON = {"25", "53", "80", "123", "443", "853", "8080"} -- ports on which many hosts are usual
local QUIET = 3600 -- seconds without a second alert for the same thing

local told = storage.new("library: scans told")
local scanners = storage.new("library: scanners")

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

local function raise(grouped, key, risk, text, count, technique)
  local events = grouped.aggregatedData.loglines
  local last = events[#events]
  local now = seconds(last:gets("@timestamp")) or 0
  if within(told:get(key, "at"), now, QUIET) then return end
  told:set(key, "at", now, "24h")
  alert({
    template = text,
    risk_level = risk,
    asset_ip = last:get_asset_data("observer.host.ip"),
    asset_hostname = last:get_asset_data("observer.host.hostname"),
    asset_fqdn = last:get_asset_data("observer.host.fqdn"),
    asset_mac = "",
    create_incident = false,
    assign_to_customer = false,
    incident_identifier = last:gets(SOURCE),
    incident_group = "Discovery",
    logs = events,
    trim_logs = 20,
    mitre = {technique},
    meta = {source = last:gets(SOURCE), target = last:gets(TARGET), port = last:gets(PORT), count = tostring(count)},
  })
end

function on_scan(grouped)
  local count = grouped.aggregatedData.unique.total
  if count < PORTS then return end
  local first = grouped.aggregatedData.loglines[1]
  raise(grouped, first:gets(SOURCE) .. " to " .. first:gets(TARGET), 5.0,
    "{{ .Meta.source }} tried {{ .Meta.count }} ports of {{ .Meta.target }} within " .. WINDOW, count, "T1046")
  scans:clear()
end

function on_sweep(grouped)
  local count = grouped.aggregatedData.unique.total
  if count < HOSTS then return end
  local first = grouped.aggregatedData.loglines[1]
  raise(grouped, first:gets(SOURCE) .. " on port " .. first:gets(PORT), 6.0,
    "{{ .Meta.source }} tried port {{ .Meta.port }} of {{ .Meta.count }} hosts within " .. WINDOW, count, "T1018")
  sweeps:clear()
end

function on_logline(event)
  local source, target, port = event:gets(SOURCE), event:gets(TARGET), event:gets(PORT)
  if source == "" or target == "" or port == "" or scanners:get(source) then return end
  scans:feed(event)
  if not contains(COMMON, port) then
    sweeps:feed(event)
  end
end

scans = grouper.new({SOURCE, TARGET}, {PORT}, "@timestamp,RFC3339", WINDOW, on_scan)
sweeps = grouper.new({SOURCE, PORT}, {TARGET}, "@timestamp,RFC3339", WINDOW, on_sweep)
