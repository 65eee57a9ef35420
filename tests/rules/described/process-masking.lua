-- Процесс с именем системного файла запущен из другой папки
-- черновик от 12.03, список имён ведут в RVS
names = storage.new("Names of system files")

--[[ was hier steht, gilt für alle
     Windows-Hosts ]]
local paths = {"c:\\windows\\system32\\", "c:\\windows\\syswow64\\", "c:\\windows\\winsxs\\"}

function on_logline(logline)
    local id = get_field_value(logline, "observer.event.id")
    if not compare(id, "==", "4688") then return end
    local full = get_field_value(logline, "target.process.path.full", "")
    local path, name = full:lower():match("^(.*\\)([^\\]+)$")
    if name == nil then
        return
    end
    if names:search("Имя файла", name) and not contains(paths, path, "prefix") then
        local v = get_fields_value(logline, {"observer.host.ip.0", "observer.host.hostname", "initiator.user.name"})
        local ip, hostname, user = v[1], v[2], v[3]
        alert({
            template = [=[Файл {{ .Meta.name }} запущен из {{ .Meta.path }} [пользователь {{ or .Meta.user "неизвестен" }}]]=],
            risk_level = 7.5, asset_ip = ip, asset_hostname = hostname, asset_fqdn = logline:get_asset_data("observer.host.fqdn"),
            create_incident = true, assign_to_customer = false, incident_identifier = (hostname or "") .. "_" .. name,
            logs = {logline}, mitre = {"T1036.005"},
            meta = {name = name, path = path, user = user},
        })
    end
end
