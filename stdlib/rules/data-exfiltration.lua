--- Data leaves the network: a host sends far more to the outside in an hour than usual, or more for several hours.
---
--- What is usual says a profile. The rule does not read connections but the measurements of that profile: one event
--- for each host and period, with what was sent (`SENT`), what is usual (`USUAL`, such as the 95th percentile of the
--- last two weeks) and how many periods that is made of (`KNOWN`). `FACTOR` times the usual or more is an alert of
--- risk 7; `HOURS` periods within `WINDOW`, each `SLOW` times the usual or more, are one of risk 6, for those who
--- send it bit by bit. Less than `LEAST` bytes are never told, and hosts with fewer than `LEARN` periods only when
--- they send more than `ALWAYS`.
---
--- A pipeline does the whole of it. `filter_profile` measures each host by the hour and stores it; its measurements
--- go on as events of the tag `sent`, to which `filter_stellar` adds what is usual before that hour; `filter_rule`
--- gives them to this rule, and what it raises has the tag `alert`:
---
--- ```yaml
--- - name: filter_profile
---   match: connection
---   time_key: "@timestamp"
---   period: 1h
---   tag: sent
---   definition:
---     profile: sent-outside
---     foreach: initiator.host.ip
---     onlyif: "exists(bytes_out) and not(IN_SUBNET(target.host.ip, '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'))"
---     init: {sent: 0L}
---     update: {sent: sent + bytes_out}
---     result: sent
--- - name: filter_stellar
---   match: sent
---   vars: {hourly: {profiler.client.period.duration: 1, profiler.client.period.duration.units: HOURS}}
---   set:
---     before: PROFILE_GET(profile, entity, PROFILE_WINDOW('from 14 days ago', start - 1, hourly))
---     known: LENGTH(before)
---     usual: "if known == 0 then 0 else STATS_PERCENTILE(STATS_ADD(STATS_INIT(), before), 95)"
--- - {name: filter_remove_keys, match: sent, keys: before}
--- - name: filter_rule
---   match: sent
---   rules: data-exfiltration.lua
---   tag: alert
--- ```
---
--- `period` and the periods that PROFILE_GET looks for must be the same. `stellar pipeline run --once` does it over
--- files.
---
--- Fields: `profile`, `entity`, `end`, `value`, `usual`, `known`.
---
--- False positives: backups to a cloud, large uploads that somebody asked for, new servers. Put hosts into the table
--- list `library: hosts that send much` (key: the host as in `entity`); a column `bytes` there is the most that it
--- may send in a period, another column lets it send what it likes.

local PROFILE = "sent-outside" -- the profile whose measurements are read
local HOST = "entity" -- the host
local SENT = "value" -- bytes sent in the period
local USUAL = "usual" -- bytes that are usual
local KNOWN = "known" -- of how many periods
local TIME = "end" -- the end of the period, in milliseconds since 1970
local FACTOR = 10 -- how many times the usual is told at once
local SLOW = 3 -- how many times the usual is told when it lasts
local HOURS = 4 -- how many such periods
local WINDOW = "24h" -- within which time
local LEAST = 100e6 -- bytes below which a period is never told
local LEARN = 48 -- periods that must be known
local ALWAYS = 10e9 -- bytes that are told of hosts that are not known yet

local excepted = storage.new("library: hosts that send much")

local function megabytes(bytes)
  return string.format("%.0f", bytes / 1e6)
end

local function raise(event, logs, risk, text, meta)
  meta.host = event:gets(HOST)
  alert({
    template = text,
    risk_level = risk,
    asset_ip = meta.host:search("^[0-9a-fA-F.:]+$") and meta.host or "",
    asset_hostname = meta.host:search("^[0-9a-fA-F.:]+$") and "" or meta.host,
    asset_fqdn = "",
    asset_mac = "",
    create_incident = true,
    assign_to_customer = false,
    incident_identifier = meta.host,
    incident_group = "Exfiltration",
    logs = logs,
    trim_logs = 24,
    mitre = {"T1048", "T1041"},
    meta = meta,
  })
end

function on_slow(grouped)
  if grouped.aggregatedData.unique.total < HOURS then return end
  local events = grouped.aggregatedData.loglines
  local sent = 0
  for _, event in ipairs(events) do
    sent = sent + event:get(SENT)
  end
  raise(events[#events], events, 6.0,
    "{{ .Meta.host }} has sent {{ .Meta.sent }} MB to the outside in {{ .Meta.periods }} periods, each " .. SLOW
      .. " times the usual or more",
    {sent = megabytes(sent), periods = tostring(#events)})
  slow:clear()
end

function on_logline(event)
  if event:gets("profile") ~= PROFILE then return end
  local sent, usual = tonumber(event:gets(SENT)), tonumber(event:gets(USUAL)) or 0
  if not sent or sent < LEAST or not tonumber(event:gets(TIME)) then return end
  -- Measurements have no time of the kind that alerts are dated by.
  set_field_value(event, "@timestamp", os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(event:get(TIME) / 1000)))
  local host = event:gets(HOST)
  if excepted:get(host) then
    local most = tonumber(excepted:get(host, "bytes"))
    if not most or sent <= most then return end
  end
  local text = "{{ .Meta.host }} has sent {{ .Meta.sent }} MB to the outside in one period; "
  if (tonumber(event:gets(KNOWN)) or 0) < LEARN then
    if sent >= ALWAYS then
      raise(event, {event}, 7.0, text .. "what is usual is not known yet", {sent = megabytes(sent)})
    end
  elseif sent >= FACTOR * usual then
    raise(event, {event}, 7.0, text .. "{{ .Meta.usual }} MB are usual",
      {sent = megabytes(sent), usual = megabytes(usual)})
  elseif sent >= SLOW * usual then
    slow:feed(event)
  end
end

slow = grouper.new({HOST}, {TIME}, TIME .. ",UnixMilli", WINDOW, on_slow)
