-- Ключевые слова Mimikatz в командной строке
local regex = "(?i)\\b(?:sekurlsa|lsadump|kerberos|privilege|token|vault|crypto|dpapi)::\\w+"
local template = [[Mimikatz на {{ .First.observer.host.hostname }}
{{ range $key, $item := .Meta.list -}}
Пользователь: {{ $item.user }}
Домен: {{ or $item.domain "не указан" }}
Родитель: {{ $item.parent }}
Путь: {{ $item.path }}
Команда: {{ $item.command }}
{{ end -}}
]]

function on_logline(logline)
    local command = logline:gets("initiator.command.executed")
    if command:search(regex) or logline:gets("target.process.path.full"):lower():search("mimikatz") then
        grouper1:feed(logline)
    end
end

function on_grouped(grouped)
    if grouped.aggregatedData.aggregated.total >= 1 then
        local list = {}
        for _, line in ipairs(grouped.aggregatedData.loglines) do
            list[#list + 1] = {
                user = line:gets("initiator.user.name"),
                domain = line:get("initiator.user.domain"),
                parent = line:gets("initiator.process.parent.path.original"),
                path = line:gets("target.process.path.full"),
                command = line:gets("initiator.command.executed"),
            }
        end
        local first = grouped.aggregatedData.loglines[1]
        alert({
            template = template,
            risk_level = 6.5,
            asset_ip = first:get_asset_data("observer.host.ip"),
            asset_hostname = first:get_asset_data("observer.host.hostname"),
            asset_fqdn = first:get_asset_data("observer.host.fqdn"),
            asset_mac = "",
            create_incident = true,
            assign_to_customer = false,
            incident_identifier = first:gets("observer.host.hostname") .. "_" .. first:gets("initiator.user.name"),
            incident_group = "Credential Access",
            logs = grouped.aggregatedData.loglines,
            trim_logs = 20,
            mitre = {"T1003.001"},
            meta = {list = list},
        })
        grouper1:clear()
    end
end

grouper1 = grouper.new({"observer.host.ip", "observer.host.hostname", "initiator.user.name"}, {"initiator.command.executed"}, "@timestamp,RFC3339", "1m", on_grouped)
