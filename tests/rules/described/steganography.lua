-- Сокрытие данных в изображении
local images = {".jpg", ".jpeg", ".png", ".bmp", ".gif"}
local archives = {".zip", ".rar", ".7z"}
local template = [[
Пользователь {{ .First.initiator.user.name }} спрятал {{ .Meta.archive }} в {{ .Meta.image }}.
{{- if and .Meta.image .Meta.archive }}
Результат: {{ .Meta.destination }}
{{- end }}]]

local function has_suffix(list, text)
    return contains(list, text, "suffix")
end

function on_logline(logline)
    local event_id = logline:gets("observer.event.id")
    local object = logline:gets("target.object.name"):lower()
    local access = logline:gets("initiator.permissions.requested.ad_access_list")
    local mask = logline:gets("initiator.permissions.requested.access_mask")
    local operation = nil
    if event_id == "4663" then
        if access:search("%%4416") and has_suffix(images, object) then
            operation = "source file"
        elseif access:search("%%4416") and has_suffix(archives, object) then
            operation = "archive"
        elseif access:search("%%4417") and has_suffix(images, object) then
            operation = "destination file"
        end
    elseif event_id == "4656" and access:search("%%4417") and mask == "0x120196" and has_suffix(images, object) then
        operation = "destination file access"
    end
    if operation then
        set_field_value(logline, "operation.type", operation)
        grouper1:feed(logline)
    end
end

function on_grouped(grouped)
    if grouped.aggregatedData.unique.total > 3 then
        local found = {}
        for _, line in ipairs(grouped.aggregatedData.loglines) do
            found[line:gets("operation.type")] = line:gets("target.object.name")
        end
        local first = grouped.aggregatedData.loglines[1]
        alert({
            template = template,
            risk_level = 6,
            asset_ip = first:get_asset_data("observer.host.ip"),
            asset_hostname = first:get_asset_data("observer.host.hostname"),
            asset_fqdn = first:get_asset_data("observer.host.fqdn"),
            asset_mac = "",
            create_incident = true,
            assign_to_customer = false,
            incident_identifier = "",
            incident_group = "Defense Evasion",
            logs = grouped.aggregatedData.loglines,
            trim_logs = 10,
            mitre = {"T1027.003"},
            meta = {image = found["source file"], archive = found["archive"], destination = found["destination file"]},
        })
        grouper1:clear()
    end
end

grouper1 = grouper.new(
    {"observer.host.ip", "observer.host.hostname", "observer.host.fqdn", "initiator.user.name"},
    {"operation.type"},
    "@timestamp,RFC3339",
    "1m",
    on_grouped
)
