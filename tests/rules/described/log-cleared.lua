-- Очистка журнала после неудачных входов: черновик, местами с ошибками
-- 6-argument form of the pattern matcher
blacklist = storage.new("blacklist_test")
print("loaded", blacklist:count())
local list = {}

local function on_matched(grouped)
    local logs = grouped.aggregatedData.loglines
    local last = logs[#logs]
    -- the host must be known
    local row = blacklist:get_values(last:gets("observer.host.hostname"))
    local level = row.level
    table.insert(list, last)
    alert({
        template = "Журнал на {{ .Meta.host.hostname }} очищен после {{ .Meta.n }} неудачных входов, уровень {{ .Meta.level }}",
        risk_level = tonumber(level),
        create_incident = true,
        logs = logs,
        mitre = {"T1070.001"},
        meta = {host = last:get("observer.host"), n = #logs - 1, level = level},
    })
    blacklist:set(last:gets("observer.host.hostname"), "count", list > 1 and "many" or #list)
    return true
end

local pattern = {
    {field = "observer.event.id", values = {"4625", "4771"}, count = 3},
    {field = "observer.event.id", values = {"1102"}, count = 1},
}

function on_logline(logline)
    if logline:gets("event.category"):search("^(?:logon|audit)$") then
        matcher:feed(logline)
    end
end

matcher = grouper.new_pattern_matcher({"observer.host.hostname"}, {"observer.event.id"}, pattern, "@timestamp,RFC3339", "10m", on_matched)
