-- Загрузка файла и его запуск
local download = "(?:^|/|\s)(?:curl|wget)\s+.*(?:-O|-o|--output)\s+(\S+)"
local detection_windows = "5m"

function get_file(cmd)
    local rest = cmd:match("%-%-output%s+(%S+)") or cmd:match("%-[oO]%s+(%S+)")
    if rest == nil then return "" end
    return rest:match("([^/]+)$") or ""
end

function on_logline(logline)
    local cmd = logline:gets("initiator.command.executed") or "unknown"
    if #cmd == 0 then return end
    if cmd:search(download) then
        set_field_value(logline, "operation.type", "download")
        set_field_value(logline, "initiator.command.info", get_file(cmd))
        grouper1:feed(logline)
        return
    end
    -- chmod +x ./file && ./file; sh /tmp/file
    local what, file = cmd:match("^(%S+)%s+.-([^/%s]+)$")
    if file == nil then
        file = cmd:match("([^/%s]+)$")
        what = "run"
    end
    what = what:match("([^/]+)$")
    if contains({"chmod", "sh", "bash", "run"}, what) then
        set_field_value(logline, "operation.type", "run")
        set_field_value(logline, "initiator.command.info", file)
        grouper1:feed(logline)
    end
end

function on_grouped(grouped)
    if grouped.aggregatedData.unique.total > 1 then
        local logs = grouped.aggregatedData.loglines
        if logs[1]:gets("operation.type") == "download" then
            alert({
                template = "Файл {{ .First.initiator.command.info }} загружен и запущен на {{ .First.observer.host.hostname }}: {{ .Meta.commands }}",
                risk_level = 7.0,
                asset_ip = logs[1]:get_asset_data("observer.host.ip"),
                asset_hostname = logs[1]:get_asset_data("observer.host.hostname"),
                asset_fqdn = logs[1]:get_asset_data("observer.host.fqdn"),
                asset_mac = "",
                create_incident = true,
                assign_to_customer = false,
                incident_identifier = "",
                incident_group = "",
                logs = logs,
                trim_logs = 10,
                first_and_last_logs = true,
                mitre = {"T1105", "T1204.002"},
                meta = {commands = string.format("%s; %s", logs[1]:gets("initiator.command.executed"), logs[#logs]:gets("initiator.command.executed"))},
            })
            grouper1:clear()
        end
    end
end

grouper1 = grouper.new({"observer.host.hostname", "initiator.command.info"}, {"operation.type"}, "@timestamp,RFC3339Nano", detection_windows, on_grouped)
