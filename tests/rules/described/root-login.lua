-- Удалённый вход суперпользователя
whitelist = storage.new("whitelist|Удалённый вход суперпользователя по SSH")

local grouped_by = {"observer.host.ip", "observer.host.hostname", "observer.host.fqdn", "initiator.host.ip"}
local aggregated_by = {"observer.event.type"}
local types = {"USER_AUTH", "CRED_ACQ", "USER_START", "USER_LOGIN"}
local template = [[Вход пользователя {{ .First.initiator.user.name }} на узел {{ .Meta.host }} с адреса {{ or .Meta.ip "неизвестного" }}]]

function on_logline(logline)
    local event_type = logline:gets("observer.event.type")
    if not contains(types, event_type) then return end
    local user = logline:gets("initiator.user.name")
    local ip = logline:gets("initiator.host.ip")
    if user:lower() == "root" and logline:gets("event.result.name") == "success" and ip ~= "" and not ip:search("^(127\\.|::1$)") then
        if event_type == "USER_AUTH" then
            -- only sshd authenticates from afar
            if logline:gets("initiator.process.path.full"):search("/sshd$") then
                grouper1:feed(logline)
            end
        else
            grouper1:feed(logline)
        end
    end
end

function on_grouped(grouped)
    local unique = grouped.aggregatedData.unique.total
    if unique > 3 then
        local first = grouped.aggregatedData.loglines[1]
        local hostname = first:gets("observer.host.hostname")
        if whitelist:get(hostname, "hostname") == nil then
            alert({
                template = template,
                risk_level = 6.0,
                asset_ip = first:get_asset_data("observer.host.ip"),
                asset_hostname = hostname,
                asset_fqdn = first:get_asset_data("observer.host.fqdn"),
                asset_mac = "",
                create_incident = true,
                assign_to_customer = false,
                incident_identifier = hostname .. "_root",
                incident_group = "Initial Access",
                logs = grouped.aggregatedData.loglines,
                trim_logs = 10,
                mitre = {"T1078"},
                meta = {host = hostname, ip = first:gets("initiator.host.ip")},
            })
        end
        grouper1:clear()
    end
end

grouper1 = grouper.new(grouped_by, aggregated_by, "@timestamp,RFC3339", "30s", on_grouped)
