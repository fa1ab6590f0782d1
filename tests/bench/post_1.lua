-- wrk: one event per POST.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local event = '{"event_id":"%028x","event_type":"prompt:submitted","timestamp":"2026-03-01T00:00:00.000Z","session_id":"s0000000","user_id":"u000000","sketch_id":"k00000","ip":"203.0.0.0","properties":{"length":0,"ms":762.36,"ok":false,"tool":"brush","path":[0,2,3,4,5,6,7,8,9,0],"zoom":1.5,"err":null,"pen":1},"metadata":{"app_version":"1.4.2","platform_info":{"browser":"Chrome","version":"96.0","os":"Windows","device_type":"desktop"}}}'
local n = 0
request = function()
    n = n + 1
    return wrk.format(nil, nil, nil, event:format(n))
end
