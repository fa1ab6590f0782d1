-- SPDX-License-Identifier: Apache-2.0
-- The product team's rules: what an event must have, what it may have, and what must not leave the host.
-- The tables come first and are what is edited from week to week; the functions below use them.
-- An event that breaks a rule is set aside (`weir quarantine list` shows why), never passed on.

-- What becomes of a field:
local keep = "keep" -- stays as it is (mail addresses in texts are cut out everywhere)
local hash = "hash" -- a person's number: replaced by a keyed hash, the same for the same person
local address = "address" -- an IP address: its last part is cut off; what is no address is dropped
local url = "url" -- a web address: tokens, passwords and mail addresses are cut out of it
local drop = "drop"

-- An event must have these, as text that is not empty.
local required = {"event_id", "event_type", "timestamp", "session_id", "user_id"}

-- The event.  A field that is not named here is dropped.
local event = {
  event_id = keep, event_type = keep, timestamp = keep, session_id = keep, sketch_id = keep,
  user_id = hash,
  client_ip = address,
  metadata = {
    client_timestamp = keep, app_version = keep, consent = keep,
    platform_info = {
      browser = keep, version = keep, os = keep, device_type = keep, language = keep,
      screen_width = keep, screen_height = keep,
    },
  },
}

-- The categories: what stands before the colon of event_type, and which properties its events may carry.
local categories = {
  session = {
    entry_point = keep, exit_point = keep, referrer = url, url = url, duration_ms = keep, session_depth = keep,
    country = keep, language = keep, is_returning = keep,
  },
  page = {url = url, title = keep, referrer = url, duration_ms = keep},
  prompt = {
    prompt_id = keep, prompt_text = keep, category = keep, success = keep, processing_time_ms = keep, error_type = keep,
    iteration = keep, parent_prompt_id = keep, length = keep, tokens = keep, model = keep,
  },
  sketch = {
    title = keep, action = keep, duration_ms = keep, complexity_score = keep, canvas_width = keep, canvas_height = keep,
    frame_rate = keep, code_length = keep, version = keep, template = keep,
  },
  collaboration = {
    collaborator_count = keep, role = keep, action = keep, duration_ms = keep, message = keep, invited_by = hash,
  },
  feature = {
    feature = keep, tool = keep, setting = keep, value = keep, action = keep, position = keep, duration_ms = keep,
  },
  performance = {metric = keep, value = keep, unit = keep, duration_ms = keep, url = url},
  error = {
    error_type = keep, message = keep, component = keep, status_code = keep, stack = keep, url = url, severity = keep,
    fatal = keep,
  },
}

-- Access logs and the application's own log: fields that are not named here stay.
local logs = {
  user_id = hash, user = hash, username = hash, account_id = hash,
  client_ip = address, client = address, remote = address, remote_addr = address, ip = address, host_ip = address,
  REMOTE_ADDR = address,
  url = url, path = url, referer = url, referrer = url, request_uri = url,
  password = drop, token = drop, access_token = drop, authorization = drop, cookie = drop, set_cookie = drop,
  email = drop, phone = drop,
}

-- ---------------------------------------------------------------------------------------------------------------

local function check_required(record)
  for i = 1, #required do
    local name = required[i]
    local value = record[name]
    if value == nil or value == "" then weir.quarantine("Required-Missing", "/" .. name) end
    if type(value) ~= "string" then weir.quarantine("Type-Mismatch", "/" .. name) end
  end
end

local function check_map(record, name)
  local value = record[name]
  if value ~= nil and (type(value) ~= "table" or value[1] ~= nil) then weir.quarantine("Type-Mismatch", "/" .. name) end
end

-- One table of fields for each category: the event's own, and its properties.
local event_of = {}
for category, properties in pairs(categories) do
  local fields = {properties = properties}
  for name, what in pairs(event) do fields[name] = what end
  event_of[category] = fields
end

local category_of, known_types = {}, 0 -- by event_type, filled as they are met: there are few
local function fields_of(event_type)
  local fields = category_of[event_type]
  if not fields then
    local category = event_type:match("^([%w_]+):[%w_]+$")
    fields = category and event_of[category]
    if not fields then weir.quarantine("Event-Type-Unknown", "/event_type") end
    if #event_type < 64 and known_types < 1000 then
      known_types = known_types + 1
      category_of[event_type] = fields
    end
  end
  return fields
end

local function product_event(record)
  check_required(record)
  check_map(record, "properties")
  check_map(record, "metadata")
  weir.clean(record, fields_of(record.event_type))
end

-- A line of an access log: nginx, Apache (the `combined` and `nginx` parsers).
local function access_log(record)
  weir.clean(record, logs, true)
  if record.host ~= nil then -- the client's address in these formats, or a host name: that is dropped
    record.host = weir.truncate_ip(record.host)
  end
  local request = record.request
  if type(request) == "string" then -- "GET /path?query HTTP/1.1"
    local method, path, rest = request:match("^(%S+) (%S+)(.*)$")
    record.request = method and method .. " " .. weir.clean_url(path) .. rest or nil
  end
end

-- What looks like a credential inside a line of text.
local function hide_secrets(text)
  text = text:gsub("([Bb]earer )[%w%-._~+/=]+", "%1[token]")
  return (text:gsub("([%w_]*[TtPpSs][OoAaEe][KkSsCc][%w_]*[=:]%s*)([^%s&\"',;}]+)", function(name)
    local word = name:lower()
    if word:find("token") or word:find("passw") or word:find("secret") then return name .. "[gone]" end
  end))
end

local function application_log(record)
  weir.clean(record, logs, true)
  for _, name in ipairs({"log", "message", "msg"}) do
    local text = record[name]
    if type(text) == "string" then record[name] = hide_secrets(text) end
  end
end

-- What the agent calls for every record.  The kind follows from its fields; what claims to be a product event is one.
function weir_rules(tag, ts, record)
  if record.event_type ~= nil or record.event_id ~= nil or tag:find("events", 1, true) == 1 then
    product_event(record)
  elseif record.method ~= nil or record.request ~= nil or tag:find("access", 1, true) == 1 then
    access_log(record)
  else
    application_log(record)
  end
  weir.redact(record) -- mail addresses, in any text that is left
  return 2, ts, record
end
