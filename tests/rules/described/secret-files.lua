-- Чтение файлов с секретами
local secrets = {"/.ssh/id_", "/etc/shadow", ".kdbx", "/.aws/credentials", "пароли"}
local readers = {"cat ", "less ", "head ", "tail ", "cp ", "base64 "}
seen = {}

-- все команды собираем в общий список
function on_logline(logline)
    local cmd = logline:gets("initiator.command.executed", "-"):lower()
    if contains(secrets, cmd, "sub") and (contains(readers, cmd, "prefix") or substr(cmd, "sudo ", "pref")) then
        set_field_value(logline, "file.type", cmd:match("([^/%s]+)$"))
        grouper1:feed(logline)
    end
end

function on_grouped(grouped)
    local total = grouped.aggregatedData.unique.total
    if total > 2 then
        local n = 1
        local names = {}
        while n <= #grouped.aggregatedData.loglines do
            local l = grouped.aggregatedData.loglines[n]
            if not seen[l:gets("file.type")] then
                seen[l:gets("file.type")] = true
                table.insert(names, l:gets("file.type"))
            end
            n = n + 1
        end
        local l = grouped.aggregatedData.loglines[1]
        alert({template = "{{ .Meta.user }} прочитал: {{ .Meta.names }} ({{ .Meta.total }})", risk_level = math.max(5, total), asset_ip = l:get_asset_data("observer.host.ip"), asset_hostname = l:get_asset_data("observer.host.hostname"), asset_fqdn = l:get_asset_data("observer.host.fqdn"), asset_mac = "", create_incident = false, assign_to_customer = false, incident_identifier = "", incident_group = "Collection", logs = {loglines}, trim_logs = 20, mitre = {1552}, meta = {user = l:gets("initiator.user.name"), names = table.concat(names, " "), total = total}, vars = {x = 1}})
        grouper1:clear()
    end
end

grouper1 = grouper.new({"observer.host.ip", "initiator.user.name"}, {"file.type"}, "@timestamp,RFC3339", "2m", on_grouped)
