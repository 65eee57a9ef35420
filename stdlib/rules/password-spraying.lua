--- Somebody tries a few passwords on many accounts: failed logins for many accounts from one address, few for each.
---
--- The accounts that failed logins from an address name are counted. `ACCOUNTS` of them within `WINDOW`, with `TRIES`
--- failed logins for each at most on average, are an alert of risk 6; more for each is guessing, which `brute-force`
--- finds. There is no second alert for the same address within `QUIET`. A successful login from the address within
--- `AFTER` seconds is an alert of risk 9 and an incident: one of the passwords was right.
---
--- Fields: `@timestamp`, `action`, `event.result.name`, `outcome.name`, `initiator.user.name`, `initiator.host.ip`,
--- `observer.host.ip`, `observer.host.hostname`, `observer.host.fqdn`.
---
--- False positives: addresses that many people share (proxies, terminal servers, a VPN's way out) when a directory is
--- out of order. Put them into the table list `library: shared addresses` (key: the address, any column). An attacker
--- who changes the address at every try is not seen.

local USER = "initiator.user.name" -- the account that logs in
local SOURCE = "initiator.host.ip" -- where the login comes from
local ACTION = "action" -- tells logins from other events
local LOGINS = {"login", "logon"} -- its values that mean a login
local FAILED = {"failure", "failed", "fail"} -- results that mean a failed login
local GOOD = {"success"} -- results that mean a successful login
local ACCOUNTS = 10 -- how many accounts are too many
local TRIES = 3 -- most failed logins for each of them, on average
local WINDOW = "10m" -- within which time
local AFTER = 1800 -- seconds after too many accounts in which a success is told
local QUIET = 3600 -- seconds without a second alert for an address

local spraying = storage.new("library: addresses that spray passwords")
local shared = storage.new("library: shared addresses")

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

local function raise(event, logs, risk, create, mitre, text, meta)
  meta.source, meta.user = event:gets(SOURCE), event:gets(USER)
  alert({
    template = text,
    risk_level = risk,
    asset_ip = event:get_asset_data("observer.host.ip"),
    asset_hostname = event:get_asset_data("observer.host.hostname"),
    asset_fqdn = event:get_asset_data("observer.host.fqdn"),
    asset_mac = "",
    create_incident = create,
    assign_to_customer = false,
    incident_identifier = meta.source,
    incident_group = "Credential Access",
    logs = logs,
    trim_logs = 50,
    mitre = mitre,
    meta = meta,
  })
end

function on_failures(grouped)
  local data = grouped.aggregatedData
  local accounts, tries = data.unique.total, data.aggregated.total
  if accounts < ACCOUNTS or tries > TRIES * accounts then return end
  local events = data.loglines
  local last = events[#events]
  local source, now = last:gets(SOURCE), seconds(last:gets("@timestamp")) or 0
  if not within(spraying:get(source, "told"), now, QUIET) then
    spraying:set(source, "told", now, "24h")
    local names, known = {}, {}
    for _, event in ipairs(events) do
      local name = event:gets(USER)
      if not known[name] then
        known[name] = true
        names[#names + 1] = name
      end
    end
    raise(last, events, 6.0, false, {"T1110.003"},
      "{{ .Meta.source }} failed to log in with {{ .Meta.accounts }} accounts within " .. WINDOW
        .. ": {{ .Meta.names | join \", \" }}",
      {accounts = tostring(accounts), names = names})
  end
  -- A success that follows is judged by this.
  spraying:set(source, "last", now, "24h")
  failures:clear()
end

function on_logline(event)
  if not contains(LOGINS, event:gets(ACTION):lower()) then return end
  local source = event:gets(SOURCE)
  if source == "" or event:gets(USER) == "" or shared:get(source) then return end
  local result = event:gets("event.result.name", event:gets("outcome.name")):lower()
  if contains(FAILED, result) then
    failures:feed(event)
  elseif contains(GOOD, result) then
    local now = seconds(event:gets("@timestamp")) or 0
    if within(spraying:get(source, "last"), now, AFTER) then
      raise(event, {event}, 9.0, true, {"T1110.003", "T1078"},
        "{{ .Meta.user }} has logged in from {{ .Meta.source }}, which failed with many accounts before", {})
    end
  end
end

failures = grouper.new({SOURCE}, {USER}, "@timestamp,RFC3339", WINDOW, on_failures)
