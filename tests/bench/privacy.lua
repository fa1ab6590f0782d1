-- The rule of the benchmark: drop a nested field, shorten an id, truncate an address, reject what has no event_id, add
-- a field.
function privacy(tag, ts, record)
    if not record.event_id then
        return -1, ts, record
    end
    local metadata = record.metadata
    if metadata and metadata.platform_info then
        metadata.platform_info.device_type = nil
    end
    if record.user_id then
        record.user_id = record.user_id:gsub("^u0*", "u")
    end
    if record.ip then
        record.ip = record.ip:gsub("%.%d+$", ".0")
    end
    record.redacted = true
    return 2, ts, record
end
