--- Something is there for the first time: an account logs in to a host where it never was.
---
--- Each entity (`ENTITY`, an account) has the values (`VALUE`, hosts) that were seen with it, in the table list
--- `library: values seen`. While an entity is known for less than `LEARN` seconds its values are only learned; after
--- that a new value is an alert of risk 4. A value that was not seen for `FORGET` seconds is new again. Set `ENTITY`
--- and `VALUE` to other fields, and `WANTED` to other events, for programs that a host never ran, countries from
--- which nobody came, destinations that a server never had.
---
--- Fields: `@timestamp`, `action`, `event.result.name`, `outcome.name`, `initiator.user.name`,
--- `target.host.hostname`, `observer.host.ip`, `observer.host.hostname`, `observer.host.fqdn`.
---
--- False positives: new tasks, new machines, administrators. The fewer values an entity has, the more a new one
--- tells; do not use it for values that change by nature (addresses of clients, temporary files). The table list
--- holds a row for each pair, which is written when the pair is new and then once in `RENEW` seconds.

local ENTITY = "initiator.user.name" -- what has values
local VALUE = "target.host.hostname" -- what may be new
local WANTED = {login = {"success"}, logon = {"success"}} -- values of action, with the results that count
local LEARN = 7 * 86400 -- seconds in which an entity is learned
local FORGET = 30 * 86400 -- seconds after which a value is new again
local RENEW = 86400 -- seconds after which the time of a value is written anew
local KEEP = "1440h" -- how long rows are kept at least; longer than FORGET

local seen = storage.new("library: values seen")
local entities = storage.new("library: entities of first-seen")

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

function on_logline(event)
  local results = WANTED[event:gets("action"):lower()]
  if not results then return end
  if not contains(results, event:gets("event.result.name", event:gets("outcome.name")):lower()) then return end
  local entity, value = event:gets(ENTITY):lower(), event:gets(VALUE):lower()
  local now = seconds(event:gets("@timestamp"))
  if entity == "" or value == "" or not now then return end

  local key = entity .. " | " .. value
  local last = tonumber(seen:get(key, "time"))
  local fresh = last == nil or now - last > FORGET
  if fresh or now - last >= RENEW then
    seen:set(key, "time", now, KEEP)
  end
  if not fresh then return end

  local since = tonumber(entities:get(entity, "since"))
  if since == nil then
    entities:set(entity, "since", now)
    return
  end
  if now - since < LEARN then return end
  alert({
    template = "{{ .Meta.entity }} and {{ .Meta.value }} were never seen together"
      .. "{{ if .Meta.days }} in the last {{ .Meta.days }} days{{ end }}",
    risk_level = 4.0,
    asset_ip = event:get_asset_data("observer.host.ip"),
    asset_hostname = event:get_asset_data("observer.host.hostname"),
    asset_fqdn = event:get_asset_data("observer.host.fqdn"),
    asset_mac = "",
    create_incident = false,
    assign_to_customer = false,
    incident_identifier = entity,
    incident_group = "Lateral Movement",
    logs = {event},
    trim_logs = 1,
    mitre = {"T1078", "T1021"},
    meta = {
      entity = event:gets(ENTITY),
      value = event:gets(VALUE),
      days = last and tostring(math.floor((now - last) / 86400)) or nil,
    },
  })
end
