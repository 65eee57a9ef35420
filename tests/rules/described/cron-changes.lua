-- Изменение заданий cron: SYSCALL + PATH -> число разных файлов у одного пользователя
-- two groupers: the first joins the records of one event of auditd, the second counts files
local dirs = [[^/(?:etc/cron(?:tab$|\.(?:d|daily|hourly|monthly|weekly)/)|var/spool/cron/)]]

function on_logline(logline)
    local t = logline:gets("observer.event.type")
    if t == "SYSCALL" and contains({"open", "openat", "rename", "renameat", "unlinkat"}, logline:gets("target.syscall.name")) then
        grouper1:feed(logline)
    elseif t == "PATH" and search(logline:gets("target.file.path"), dirs) then
        grouper1:feed(logline)
    end
end

function on_grouped1(grouped)
    if grouped.aggregatedData.unique.total > 1 then
        local user = ""
        for _, l in ipairs(grouped.aggregatedData.loglines) do
            if l:gets("observer.event.type") == "SYSCALL" then user = l:gets("initiator.user.name") end
        end
        for _, l in ipairs(grouped.aggregatedData.loglines) do
            if l:gets("observer.event.type") == "PATH" then
                set_field_value(l, "initiator.user.name", user)
                grouper2:feed(l)
            end
        end
        grouper1:clear()
    end
end

function on_grouped2(grouped)
    if grouped.aggregatedData.unique.total > 1 then
        local files = {}
        for _, l in ipairs(grouped.aggregatedData.loglines) do
            files[#files + 1] = l:gets("target.file.path")
        end
        table.sort(files, function(a, b) return a > b end)
        local first = grouped.aggregatedData.loglines[1]
        alert({
            template = "{{ .First.initiator.user.name }} изменил {{ .Meta.files | join \", \" }}",
            risk_level = 5.0,
            asset_ip = first:get_asset_data("observer.host.ip"),
            asset_hostname = first:get_asset_data("observer.host.hostname"),
            asset_fqdn = first:get_asset_data("observer.host.fqdn"),
            asset_mac = "",
            create_incident = true,
            assign_to_customer = false,
            incident_identifier = "",
            incident_group = "Persistence",
            logs = grouped.aggregatedData.loglines,
            trim_logs = 10,
            mitre = {"T1053.003"},
            meta = {files = files},
        })
        grouper2:clear()
    end
end

grouper1 = grouper.new({"observer.host.hostname", "observer.event.id"}, {"observer.event.type"}, "@timestamp,RFC3339", "3s", on_grouped1)
grouper2 = grouper.new({"observer.host.hostname", "initiator.user.name"}, {"target.file.path"}, "@timestamp,RFC3339", "10m", on_grouped2)
