--- Somebody guesses the password of an account: many failed logins, and worse, a successful one soon after them.
---
--- Failed logins are counted for each account at each host, from wherever they come, so that guessing from several
--- addresses is seen, too. When the count reaches `FAILURES` there is an alert of risk 5, and no second one for the
--- same account and host within `QUIET`. A successful login within `AFTER` seconds of the last time the count was
--- reached is an alert of risk 8 and an incident: the guess may have been right.
---
--- Fields: `@timestamp`, `action`, `event.result.name`, `outcome.name`, `initiator.user.name`, `initiator.host.ip`,
--- `observer.host.ip`, `observer.host.hostname`, `observer.host.fqdn`.
---
--- False positives: programs with an old password in their settings (a success never follows, or follows when
--- somebody changes it), users after a change of their password, tests of logins. Put such accounts into the table
--- list `library: accounts that fail` (key: the account, any column).

local USER = "initiator.user.name" -- the account that logs in
local HOST = "observer.host.hostname" -- the host that it logs in to
local SOURCE = "initiator.host.ip" -- where the login comes from
local ACTION = "action" -- tells logins from other events
local LOGINS = {"login", "logon"} -- its values that mean a login
local FAILED = {"failure", "failed", "fail"} -- results that mean a failed login
local GOOD = {"success"} -- results that mean a successful login
local FAILURES = 10 -- how many failures are too many
local WINDOW = "5m" -- within which time
local AFTER = 900 -- seconds after too many failures in which a success is told
local QUIET = 3600 -- seconds without a second alert for an account and a host

local attacked = storage.new("library: accounts under attack")
local excepted = storage.new("library: accounts that fail")

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

local function key_of(event)
  return event:gets(USER):lower() .. " at " .. event:gets(HOST):lower()
end

-- Whether the time in the cell is less than `span` seconds away. Times of events are compared, not those of this machine,
-- so that old events are judged as new ones.
local function within(cell, now, span)
  local past = tonumber(cell)
  return past ~= nil and math.abs(now - past) < span
end

local function raise(event, logs, risk, create, mitre, text, meta)
  meta.user, meta.host = event:gets(USER), event:gets(HOST)
  meta.source = event:gets(SOURCE, "an unknown address")
  alert({
    template = text,
    risk_level = risk,
    asset_ip = event:get_asset_data("observer.host.ip"),
    asset_hostname = event:get_asset_data("observer.host.hostname"),
    asset_fqdn = event:get_asset_data("observer.host.fqdn"),
    asset_mac = "",
    create_incident = create,
    assign_to_customer = false,
    incident_identifier = key_of(event),
    incident_group = "Credential Access",
    logs = logs,
    trim_logs = 20,
    mitre = mitre,
    meta = meta,
  })
end

function on_failures(grouped)
  local data = grouped.aggregatedData
  if data.aggregated.total < FAILURES then return end
  local events = data.loglines
  local last = events[#events]
  local key, now = key_of(last), seconds(last:gets("@timestamp")) or 0
  if not within(attacked:get(key, "told"), now, QUIET) then
    attacked:set(key, "told", now, "24h")
    raise(last, events, 5.0, false, {"T1110.001"},
      "{{ .Meta.failures }} failed logins of {{ .Meta.user }} at {{ .Meta.host }} within " .. WINDOW
        .. ", the last from {{ .Meta.source }}, from {{ .Meta.sources }} addresses in all",
      {failures = tostring(data.aggregated.total), sources = tostring(data.unique.total)})
  end
  -- A success that follows is judged by this.
  attacked:set(key, "last", now, "24h")
  failures:clear()
end

function on_logline(event)
  if not contains(LOGINS, event:gets(ACTION):lower()) then return end
  local user = event:gets(USER)
  if user == "" or excepted:get(user) then return end
  local result = event:gets("event.result.name", event:gets("outcome.name")):lower()
  if contains(FAILED, result) then
    failures:feed(event)
  elseif contains(GOOD, result) then
    local key, now = key_of(event), seconds(event:gets("@timestamp")) or 0
    if within(attacked:get(key, "last"), now, AFTER) then
      -- One success is told once.
      attacked:set(key, "last", "", "24h")
      raise(event, {event}, 8.0, true, {"T1110.001", "T1078"},
        "{{ .Meta.user }} has logged in at {{ .Meta.host }} from {{ .Meta.source }} after many failed logins", {})
    end
  end
end

failures = grouper.new({USER, HOST}, {SOURCE}, "@timestamp,RFC3339", WINDOW, on_failures)
