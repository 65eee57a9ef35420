-- Password spraying: one address tries many accounts, each of them once or twice.
function on_logline(login)
    if login:gets("result") == "failure" then
        attempts:feed(login)
    end
end

function on_grouped(grouped)
    local attempted = grouped.aggregatedData
    if attempted.unique.total >= 10 then
        local first = attempted.loglines[1]
        alert({
            template = "{{.Meta.address}} tried {{.Meta.accounts}} accounts since {{.Meta.since}}",
            risk_level = 7,
            asset_ip = first:gets("source_ip"),
            mitre = {"T1110.003"},
            logs = attempted.loglines,
            meta = {address = first:gets("source_ip"), accounts = attempted.unique.total, since = first:gets("date")},
        })
        attempts:clear()
    end
end

attempts = grouper.new({"source_ip"}, {"user"}, "date", "15m", on_grouped)
