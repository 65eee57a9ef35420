-- Команда из блока сценария PowerShell породила процесс
local detection_windows = "30s"
local grouped_by = {"observer.host.ip", "observer.host.hostname", "observer.host.fqdn", "event.process.id"}
local aggregated_by = {"observer.event.id"}

function on_logline(logline)
    local event_id = logline:gets("observer.event.id")
    if event_id == "4104" then
        set_field_value(logline, "event.process.id", logline:gets("observer.process.id"))
        grouper1:feed(logline)
    elseif event_id == "4688" then
        -- hexadecimal in the log of Windows, decimal in that of PowerShell
        local pid = logline:gets("initiator.process.parent.id"):gsub("0x", "")
        local number = tonumber(pid, 16)
        set_field_value(logline, "event.process.id", number)
        grouper1:feed(logline)
    end
end

function on_grouped(grouped)
    if grouped.aggregatedData.unique.total > 1 then
        local script, path, user = "", "", ""
        local first = grouped.aggregatedData.loglines[1]
        for i = 1, #grouped.aggregatedData.loglines do
            local line = grouped.aggregatedData.loglines[i]
            if line:gets("observer.event.id") == "4104" then
                script = line:gets("initiator.command.executed")
            else
                path = line:gets("target.image.name")
                user = line:gets("initiator.user.name")
            end
        end
        -- "nmap" of nmap.exe is to stand in the script
        local name = path:lower():gsub("%.exe$", "")
        if substr(script:lower(), name) then
            alert({
                template = [[Сценарий {{ .Meta.script }} запустил {{ .Meta.path }} от имени {{ .Meta.user }} на {{ .First.observer.host.fqdn }}]],
                risk_level = 7.0,
                asset_ip = first:get_asset_data("observer.host.ip"),
                asset_hostname = first:get_asset_data("observer.host.hostname"),
                asset_fqdn = first:get_asset_data("observer.host.fqdn"),
                asset_mac = "",
                create_incident = true,
                assign_to_customer = false,
                incident_identifier = "",
                incident_group = "Discovery",
                logs = grouped.aggregatedData.loglines,
                trim_logs = 10,
                mitre = {"T1059.001", "T1046"},
                meta = {script = script, path = path, user = user},
            })
        end
        grouper1:clear()
    end
end

grouper1 = grouper.new(grouped_by, aggregated_by, "@timestamp,RFC3339", detection_windows, on_grouped)
