-- Brute force: many failures of one account from one address within a minute.
function on_logline(login)
    if login:gets("result") == "failure" then
        failures:feed(login)
    end
end

function on_grouped(grouped)
    local failed = grouped.aggregatedData
    if failed.aggregated.total >= 5 then
        local last = failed.loglines[#failed.loglines]
        alert({
            template = "{{.Meta.user}} failed {{.Meta.times}} times from {{.Meta.address}}",
            risk_level = 6.5,
            asset_ip = last:gets("source_ip"),
            mitre = {"T1110.001"},
            logs = failed.loglines,
            meta = {user = last:gets("user"), times = failed.aggregated.total, address = last:gets("source_ip")},
        })
        failures:clear()
    end
end

failures = grouper.new({"user", "source_ip"}, {}, "date", "1m", on_grouped)
