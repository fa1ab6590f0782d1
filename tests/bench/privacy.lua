-- The rule of the benchmark: drop a nested field, shorten an id, truncate an address, reject what has no event_id, add
-- a field.
function privacy(tag, ts, record)
    if not record.event_id then
        return -1, ts, record
    end
    local metadata = record.metadata
    local platform = metadata and metadata.platform_info
    if platform then
        platform.device_type = nil
    end
    local user, ip = record.user_id, record.ip
    if user then
        record.user_id = user:gsub("^u0*", "u")
    end
    if ip then
        record.ip = ip:gsub("%.%d+$", ".0")
    end
    record.redacted = true
    return 2, ts, record
end
