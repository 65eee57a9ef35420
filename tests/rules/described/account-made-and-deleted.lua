-- Учётная запись создана и тут же удалена
local pattern = {
    {field = "observer.event.id", values = {"13"}, count = 1},
    {field = "observer.event.id", values = {"12"}, count = 1},
}

function on_logline(logline)
    if logline:gets("action") ~= "change" then
        return
    end
    local object = logline:gets("target.object.name")
    local description = logline:gets("event.result.description")
    -- the names of local accounts in the registry
    if object:search([[\\Users\\Names\\[^\\]+$]]) and (description == "SetValue" or description == "DeleteKey") then
        matcher:feed(logline)
    end
end

function on_matched(grouped, matchedData)
    local first = matchedData.loglines[1]
    local last = matchedData.loglines[#matchedData.loglines]
    if last:gets("event.result.description") ~= "DeleteKey" then
        return false
    end
    alert({
        template = "Учётная запись {{ .Meta.account }} создана и удалена на {{ .First.observer.host.hostname }}",
        risk_level = 4.0,
        asset_hostname = first:get_asset_data("observer.host.hostname"),
        asset_ip = first:get_asset_data("observer.host.ip"),
        asset_fqdn = nil,
        create_incident = false,
        assign_to_customer = false,
        incident_identifier = "",
        incident_group = "",
        logs = matchedData.loglines,
        trim_logs = 1,
        mitre = {"T1136.001", "T1070"},
        meta = {account = first:gets("target.object.name"):match("([^\\]+)$")},
    })
    return true
end

-- @timestamp is the first field to sort by in any case
matcher = grouper.new_pattern_matcher(
    {"observer.host.hostname", "target.object.name"},
    {},
    {"observer.event.id"},
    pattern,
    "@timestamp,RFC3339",
    "5m",
    on_matched
)
