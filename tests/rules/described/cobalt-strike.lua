-- Набор процессов маяка Cobalt Strike на одном узле
local detection_windows = "3m"
local create_incident = true
local assign_to_customer = false
local risk_score = 6.0
local grouped_by = {"observer.host.ip", "observer.host.hostname", "observer.host.fqdn"}
local aggregated_by = {"target.image.name"}
local grouped_time_field = "@timestamp,RFC3339"

local template = [[
Вероятная активность Cobalt Strike на узле {{ .First.observer.host.hostname }} ({{ .First.observer.host.ip }}).

Пользователь: {{ .Meta.user_name }}
{{ if .Meta.command }}Команда: {{ .Meta.command }}{{ else }}Команда не записана{{ end }}
Процессы: {{ .Meta.images }}
]]

function on_logline(logline)
    local image = logline:gets("target.image.name")
    if image ~= "" then
        grouper1:feed(logline)
    end
end

function on_grouped(grouped)
    if grouped.aggregatedData.unique.total > 2 then
        local first = grouped.aggregatedData.loglines[1]
        local images = {}
        for _, line in ipairs(grouped.aggregatedData.loglines) do
            table.insert(images, line:gets("target.image.name"))
        end
        local meta = {
            user_name = first:gets("initiator.user.name"),
            command = first:gets("initiator.command.executed"),
            images = table.concat(images, ", "),
        }
        alert({
            template = template,
            meta = meta,
            risk_level = risk_score,
            asset_ip = first:get_asset_data("observer.host.ip"),
            asset_hostname = first:get_asset_data("observer.host.hostname"),
            asset_fqdn = first:get_asset_data("observer.host.fqdn"),
            asset_mac = first:get_asset_data(""),
            create_incident = create_incident,
            assign_to_customer = assign_to_customer,
            incident_identifier = "",
            incident_group = "",
            logs = grouped.aggregatedData.loglines,
            trim_logs = 20,
            mitre = {"T1055", "T1059.001", "T1071.001", "T1573", "T1105"},
        })
        grouper1:clear()
    end
end

grouper1 = grouper.new(grouped_by, aggregated_by, grouped_time_field, detection_windows, on_grouped)
