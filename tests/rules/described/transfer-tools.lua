whitelist = storage.new("whitelist|Transfer tools by service accounts")
function on_logline(logline)
	if (compare(logline:get("observer.event.type", ""), EQ | IGNORE_CASE, "execve") and (contains({"www-data", "postgres", "nginx", "tomcat"}, logline:get("initiator.user.name", ""):lower())) and not (substr(logline:get("initiator.command.executed", ""), "localhost")) and (search(logline:get("initiator.command.executed", ""), "(?i)^(?:/\S*/)?(?:curl|wget|scp|sftp|nc|ncat)\b") or contains({"rsync"}, logline:get("initiator.command.executed", ""), "sub"))) then
		grouper1:feed(logline)
	end
end
function on_grouped(grouped)
	local logline = grouped.aggregatedData.loglines[1]
	if grouped.aggregatedData.aggregated.total >= 1 then
		alert({template = "Служебная запись {{.First.initiator.user.name}}: {{.First.initiator.command.executed}}", risk_level = 6.0, asset_ip = logline:get_asset_data("observer.host.ip"), asset_hostname = logline:get_asset_data("observer.host.hostname"), asset_fqdn = logline:get_asset_data("observer.host.fqdn"), asset_mac = logline:get_asset_data(""), create_incident = true, assign_to_customer = false, incident_identifier = "", incident_group = "", logs = grouped.aggregatedData.loglines, trim_logs = 10, mitre = {"T1105"}, meta = {}})
		storage.new("told"):set(logline:get("initiator.user.name", ""), "command", logline:get("initiator.command.executed", ""), "24h")
		grouper1:clear()
	end
end
grouper1 = grouper.new({"observer.host.ip", "observer.host.hostname", "observer.host.fqdn"}, {"initiator.user.name"}, "@timestamp,RFC3339", "1m", on_grouped)
