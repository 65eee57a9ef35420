-- Использование WinRM: wsmprovhost порождает оболочку
local shells = {"cmd.exe", "powershell.exe", "pwsh.exe"}
local template = [[
{{- if .Meta.user }}{{ .Meta.user }}{{ else if .Meta.id }}{{ .Meta.id }}{{ else }}кто-то{{ end }} выполнил через WinRM: {{ .Meta.command }}]]

function is_shell(logline)
    local image = logline:gets("target.image.name"):lower()
    for _, s in pairs(shells) do
        if image == s then return true end
    end
    return false
end

function on_logline(logline)
    local event_id = logline:gets("observer.event.id")
    local logon_type = logline:get("initiator.auth.logon.type")
    if event_id == "4688" and logline:gets("initiator.process.parent.path.original"):lower():search("\\wsmprovhost\.exe$") and is_shell(logline) then
        grouper1:feed(logline)
    elseif event_id == "4624" and compare(logon_type, EQ, 3) then
        grouper1:feed(logline)
    end
end

function on_grouped(grouped)
    if grouped.aggregatedData.unique.total > 1 then
        local logon, process
        for i, l in ipairs(grouped.aggregatedData.loglines) do
            if l:gets("observer.event.id") == "4624" then logon = l else process = l end
        end
        log("winrm " .. tostring(grouped.aggregatedData.unique.total) .. " " .. process:gets("target.image.name"))
        alert({
            template = template, risk_level = "8", asset_ip = process:get_asset_data("observer.host.ip"),
            asset_hostname = process:get_asset_data("observer.host.hostname"), asset_fqdn = process:get_asset_data("observer.host.fqdn"), asset_mac = process:get_asset_data(""),
            create_incident = true, assign_to_customer = false, incident_identifier = "", incident_group = "Lateral Movement",
            logs = grouped.aggregatedData.loglines, trim_logs = 10, mitre = "T1021.006",
            meta = {user = logon:get("target.user.name"), id = logon:get("target.user.id"), command = process:gets("initiator.command.executed")},
        })
        grouper1:clear()
    end
end

grouper1 = grouper.new({"observer.host.ip", "observer.host.hostname", "observer.host.fqdn"}, {"observer.event.id"}, "@timestamp", "10s", on_grouped)
