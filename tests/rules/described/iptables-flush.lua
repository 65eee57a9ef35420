-- Очистка правил межсетевого экрана
whitelist = storage.new("whitelist|iptables flush")

local template = [[{{ .Meta.header }}
Хост: {{ .Meta.host }}
Пользователь: {{ .Meta.user }}
Команда: {{ .Meta.command }}]]

function on_logline(logline)
    local event_type = logline:gets("observer.event.type")
    if compare(event_type, "==", "SYSCALL") then
        grouper1:feed(logline)
    elseif compare(event_type, "==", "EXECVE") then
        local cmd = logline:gets("initiator.command.executed"):lower()
        if cmd:search("(?:^|/|\\s)ip6?tables\\s+(?:-t\\s+\\w+\\s+)?(?:-f|--flush)(?:\\s|$)") then
            grouper1:feed(logline)
        end
    end
end

function on_grouped(grouped)
    if grouped.aggregatedData.unique.total > 1 then
        local user, command, line
        for _, l in ipairs(grouped.aggregatedData.loglines) do
            if l:gets("observer.event.type") == "SYSCALL" then
                user = l:gets("initiator.user.name")
            else
                command = l:gets("initiator.command.executed")
                line = l
            end
        end
        local host = line:gets("observer.host.hostname")
        local chain = command:lower():match("%-f%s+(%S+)") or command:lower():match("%-%-flush%s+(%S+)")
        local header = "Сброшены правила всех цепочек"
        if chain ~= nil then
            header = "Сброшены правила цепочки " .. chain
        end
        if not whitelist:get(host .. "_" .. user, "username") then
            alert({template = template, risk_level = 7.0, asset_ip = line:get_asset_data("observer.host.ip"), asset_hostname = line:get_asset_data("observer.host.hostname"), asset_fqdn = line:get_asset_data("observer.host.fqdn"), asset_mac = line:get_asset_data(""), create_incident = true, assign_to_customer = false, incident_identifier = host .. "_" .. user, incident_group = "Defense Evasion", logs = grouped.aggregatedData.loglines, trim_logs = 10, mitre = {"T1562.004"}, meta = {header = header, host = host, user = user, command = command}})
        end
        grouper1:clear()
    end
end

grouper1 = grouper.new({"observer.host.ip", "observer.host.hostname", "observer.host.fqdn", "observer.event.id"}, {"observer.event.type"}, "@timestamp,RFC3339", "30s", on_grouped)
