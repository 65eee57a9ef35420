-- Новая служба (PsExec и подобные): событие 7045 рядом с входом по сети; поля читаются прямо с события
-- gets the short form of the command and hands records of both groupers on
local window = "30s"
local found = {}

function short(text)
    local s = text
    if s:len() > 20 then s = s:sub(1, 20) .. "..." end
    return s, #text
end

function on_logline(logline)
    local id = tostring(logline:get("observer.event.id"))
    if id == "7045" then
        local cmd = logline.target.service.command or ""
        logline.short_cmd = short(cmd)
        services:feed(logline)
    elseif id == "5145" and logline:get_asset_data("target.object.name"):upper():contains("ADMIN$") then
        services:feed(logline)
    end
end

function on_services(grouped)
    local data = grouped.aggregatedData
    local logs = data.loglines
    for k, v in pairs(logs) do
        found[v:gets("observer.event.id")] = v
    end
    local s, share = found["7045"], found["5145"]
    -- raises nothing until both are there: before that `share` is nil
    local user = share:gets("initiator.user.name")
    if data.aggregated.total > 1 and math.floor(data.unique.total) == 2 then
        alert({
            template = "{{ .Meta.user }}: {{ .First.short_cmd }}{{ if eq .Meta.kind \"psexec\" }} (PsExec){{ end }}",
            risk_level = 7.0, asset_hostname = s:get_asset_data("observer.host.hostname"),
            create_incident = true, logs = {s, share}, trim_logs = 5, mitre = {"T1569.002", "T1021.002"},
            meta = {user = user, kind = s:gets("target.service.name"):lower():match("^psexe") and "psexec" or "other"},
        })
    end
    services:clear()
    found = {}
end

services = grouper.new({"observer.host.hostname"}, {"observer.event.id"}, "@timestamp,RFC3339", window, on_services)
