-- wrk: one event per POST, and a pause of a millisecond behind each answer: with 32 connections about 20,000 a second.
local here = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
dofile(here .. "post_1.lua")
delay = function()
    return 1
end
