-- Удаление теневых копий
local list = {
    "vssadmin(?:\\.exe)?\\s+delete\\s+shadows",
    "wmic(?:\\.exe)?\\s+shadowcopy\\s+delete",
    "wbadmin\\s+delete\\s+(?:catalog|systemstatebackup)",
    "bcdedit[\\s\\S]*?recoveryenabled\\s+no",
    "get-wmiobject\\s+win32_shadowcopy\\s+\\|\\s*{?\\s*foreach",
}
local function check(cmd)
    for i, re in ipairs(list) do
        if cmd:search("(?i)" .. re) then
            return true, i
        end
    end
    return false
end

function on_logline(logline)
    local cmd = logline:get("initiator.command.executed") or logline:get("initiator.process.command") or "none"
    local ok, number = check(cmd)
    if ok then
        local status, err = pcall(function()
            alert({
                template = [[
{{ with .First.initiator }}{{ .user.name }}{{ end }} удалил теневые копии
	команда:	{{ .Meta.cmd }}
	домен:	{{ .First.initiator.user.domain }}
	риск:	{{ printf "%.1f" .Meta.risk }}, правило {{ .Meta.number }}]],
                risk_level = 9.0,
                create_incident = true,
                logs = {logline},
                mitre = {"T1490"},
                meta = {cmd = cmd:sub(1, 128), risk = 9, number = tostring(number)},
            })
        end)
        if not status then log("error: " .. tostring(err)) end
    end
end
