-- Kerberoasting: много билетов служб со слабым шифрованием
local threshold = 3
grouper = grouper.new({"initiator.user.name", "initiator.host.ip"}, {"target.service.name", "target.auth.encryption.name"}, "@timestamp", "1h30m",
    function(grouped)
        -- a closure; on purpose without a name
        if grouped.aggregatedData.unique.total < threshold then return end
        local services = ""
        for i, l in ipairs(grouped.aggregatedData.loglines) do
            services = services .. l:gets("target.service.name") .. (i < #grouped.aggregatedData.loglines and "\n" or "")
        end
        local l = grouped.aggregatedData.loglines[#grouped.aggregatedData.loglines]
        alert({
            template = "{{ .Meta.user }}@{{ .Meta.ip }} запросил билеты:\n{{ .Meta.services }}",
            risk_level = 8,
            asset_ip = l:get_asset_data("observer.host.ip"), asset_hostname = l:get_asset_data("observer.host.hostname"), asset_fqdn = nil, asset_mac = nil,
            create_incident = true, assign_to_customer = false, incident_identifier = l:gets("initiator.user.name"):upper(),
            logs = grouped.aggregatedData.loglines, trim_logs = 2, mitre = nil,
            meta = {user = l:gets("initiator.user.name"), ip = l:gets("initiator.host.ip"), services = services},
        })
        grouper:clear()
    end)

function on_logline(logline)
    local weak = {["0x17"] = true, ["0x18"] = true}
    if logline:gets("observer.event.id") == "4769" and weak[logline:gets("target.auth.encryption.name")] and not logline:gets("target.service.name"):find("$", 1, true) then
        grouper:feed(logline)
    end
end
