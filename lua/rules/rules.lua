-- SPDX-License-Identifier: Apache-2.0
-- The product team's rules: what an event must have, what it may have, and what must not leave the host.
-- The tables come first and are what is edited from week to week; the functions below use them.
-- An event that breaks a rule is set aside (`weir quarantine list` shows why), never passed on.

-- An event must have these, as text that is not empty.
local required = {"event_id", "event_type", "timestamp", "session_id", "user_id"}

-- Everything else at the top of an event is dropped.
local top_level = {
  event_id = true, event_type = true, timestamp = true, session_id = true, user_id = true, sketch_id = true,
  client_ip = true, properties = true, metadata = true,
}

-- The categories: what stands before the colon of event_type, and which properties its events may carry.
local categories = {
  session = {
    "entry_point", "exit_point", "referrer", "url", "duration_ms", "session_depth", "country", "language", "is_returning",
  },
  page = {"url", "title", "referrer", "duration_ms"},
  prompt = {
    "prompt_id", "prompt_text", "category", "success", "processing_time_ms", "error_type", "iteration", "parent_prompt_id",
    "length", "tokens", "model",
  },
  sketch = {
    "title", "action", "duration_ms", "complexity_score", "canvas_width", "canvas_height", "frame_rate", "code_length",
    "version", "template",
  },
  collaboration = {"collaborator_count", "role", "action", "duration_ms", "message", "invited_by"},
  feature = {"feature", "tool", "setting", "value", "action", "position", "duration_ms"},
  performance = {"metric", "value", "unit", "duration_ms", "url"},
  error = {"error_type", "message", "component", "status_code", "stack", "url", "severity", "fatal"},
}

local metadata_fields = {client_timestamp = true, app_version = true, platform_info = true, consent = true}
local platform_fields = {
  browser = true, version = true, os = true, device_type = true, screen_width = true, screen_height = true, language = true,
}

-- Properties and log fields that hold the number of a person: replaced by a keyed hash, the same for the same person.
local person_fields = {"user_id", "user", "invited_by", "username", "account_id"}

-- Fields that hold an IP address: the last part is cut off.  What is no address is dropped.
local address_fields = {"client_ip", "client", "remote", "remote_addr", "ip", "host_ip", "REMOTE_ADDR"}

-- Fields that hold a web address: tokens, passwords and mail addresses in it are cut out.
local url_fields = {"url", "referrer", "referer", "path", "request_uri"}

-- Fields of logs that are never wanted.
local secret_fields = {"password", "token", "access_token", "authorization", "cookie", "set_cookie", "email", "phone"}

-- ---------------------------------------------------------------------------------------------------------------

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

local allowed_properties = {}
for category, list in pairs(categories) do allowed_properties[category] = set_of(list) end

-- The same fields wherever they stand: persons hashed, addresses cut, web addresses cleaned.
local function clean_fields(t)
  for _, name in ipairs(person_fields) do
    local value = t[name]
    if type(value) == "table" then
      t[name] = nil
    elseif value ~= nil and value ~= "" and value ~= "-" then
      t[name] = weir.hmac(tostring(value))
    end
  end
  for _, name in ipairs(address_fields) do
    local value = t[name]
    if value ~= nil then t[name] = weir.truncate_ip(value) end
  end
  for _, name in ipairs(url_fields) do
    local value = t[name]
    if type(value) == "string" then t[name] = weir.clean_url(value) end
  end
end

local function check_required(record)
  for _, name in ipairs(required) do
    local value = record[name]
    if value == nil or value == "" then weir.quarantine("Required-Missing", "/" .. name) end
    if type(value) ~= "string" then weir.quarantine("Type-Mismatch", "/" .. name) end
  end
end

local function check_map(record, name)
  local value = record[name]
  if value ~= nil and (type(value) ~= "table" or value[1] ~= nil) then weir.quarantine("Type-Mismatch", "/" .. name) end
  return value
end

local function product_event(record)
  check_required(record)
  local properties, metadata = check_map(record, "properties"), check_map(record, "metadata")
  local category = record.event_type:match("^([%w_]+):[%w_]+$")
  local allowed = category and allowed_properties[category]
  if not allowed then weir.quarantine("Event-Type-Unknown", "/event_type") end

  weir.keep(record, top_level)
  clean_fields(record)
  if properties then
    weir.keep(properties, allowed)
    clean_fields(properties)
  end
  if metadata then
    weir.keep(metadata, metadata_fields)
    local platform = metadata.platform_info
    if type(platform) == "table" then
      weir.keep(platform, platform_fields)
    else
      metadata.platform_info = nil
    end
  end
end

-- A line of an access log: nginx, Apache (the `combined` and `nginx` parsers).
local function access_log(record)
  clean_fields(record)
  if type(record.host) == "string" then -- the client's address in these formats, or a host name: that is dropped
    record.host = weir.truncate_ip(record.host)
  end
  if type(record.request) == "string" then -- "GET /path?query HTTP/1.1"
    local method, path, rest = record.request:match("^(%S+) (%S+)(.*)$")
    record.request = method and method .. " " .. weir.clean_url(path) .. rest or nil
  end
end

-- A line of the application's own log.
local function hide_secrets(text)
  text = text:gsub("([Bb]earer )[%w%-._~+/=]+", "%1[token]")
  return (text:gsub("([%w_]*[TtPpSs][OoAaEe][KkSsCc][%w_]*[=:]%s*)([^%s&\"',;}]+)", function(name, value)
    local word = name:lower()
    if word:find("token") or word:find("passw") or word:find("secret") then return name .. "[gone]" end
  end))
end

local function application_log(record)
  for _, name in ipairs(secret_fields) do
    if record[name] ~= nil then record[name] = nil end
  end
  clean_fields(record)
  for _, name in ipairs({"log", "message", "msg"}) do
    local text = record[name]
    if type(text) == "string" then record[name] = hide_secrets(text) end
  end
end

-- What the agent calls for every record.  The kind follows from its fields; what claims to be a product event is one.
function weir_rules(tag, ts, record)
  if record.event_type ~= nil or record.event_id ~= nil or tag:match("^events") then
    product_event(record)
  elseif record.method ~= nil or record.request ~= nil or tag:match("^access") then
    access_log(record)
  else
    application_log(record)
  end
  weir.redact(record) -- mail addresses, in any text that is left
  return 2, ts, record
end
