-- Five failed logins of a user within ten minutes.

local template = [[{{ .Meta.count }} failed logins of {{ .Meta.user }}
{{- range .Meta.addresses }}
  from {{ . }}
{{- end }}]]

function on_logline(event)
  if compare(event:get("result"), "==", "failure") then
    failures:feed(event)
  end
end

function on_failures(grouped)
  local events = grouped.aggregatedData.loglines
  if #events < 5 then return end
  local addresses, seen = {}, {}
  for _, event in ipairs(events) do
    local address = event:gets("source_ip")
    if not seen[address] then
      seen[address] = true
      table.insert(addresses, address)
    end
  end
  alert({
    template = template,
    risk_level = 6,
    asset_hostname = events[1]:get_asset_data("device"),
    mitre = {"T1110"},
    logs = events,
    meta = {user = events[1]:gets("user"), count = #events, addresses = addresses},
  })
  failures:clear()
end

failures = grouper.new({"user"}, {"source_ip"}, "date,RFC3339", "10m", on_failures)
