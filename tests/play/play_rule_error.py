# SPDX-License-Identifier: Apache-2.0
"""A rule that errors on one record of a thousand: 999 go out as ruled, one is in quarantine, and its secret is nowhere
on the disk outside the sealed entry.  Once the rule is mended, a replay delivers it."""

import json
import os

from weir import Agent, check, read_records, until

CONF = """
[INPUT]
    name http
    listen 127.0.0.1
    port {port}
    tag events
[FILTER]
    name lua
    match *
    script {dir}/rule.lua
    call rule
[OUTPUT]
    name file
    match *
    path {dir}/out
    file events
    format json_lines
    mkdir on
"""
BAD = """
function rule(tag, ts, record)
    if record.n == 500 then
        local nothing = nil
        record.x = nothing.field
    end
    record.secret = nil
    record.ruled = true
    return 2, ts, record
end
"""
GOOD = BAD.replace("record.n == 500", "false")
SECRET = "very-secret-4711-value"


def files_with_secret(folder):
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    if SECRET.encode() in f.read():
                        yield path


def main():
    agent = Agent(CONF)
    rule = os.path.join(agent.dir, "rule.lua")
    with open(rule, "w", encoding="utf-8") as f:
        f.write(BAD)
    agent.start()
    events = [{"event_id": "id-%d" % n, "n": n, "secret": SECRET} for n in range(1000)]
    status, text, _ = agent.post("/v1/events", json.dumps({"events": events}))
    reply = json.loads(text)
    check(status // 100 == 2, "status %d %s" % (status, text[:200]))
    check((reply["accepted"], reply["quarantined"]) == (999, 1), "reply %s" % text[:300])
    check(SECRET not in text, "the reply holds the secret")
    until(lambda: agent.ledger()["outputs"]["file.0"]["delivered"] == 999, 20, "999 delivered: %s" % agent.get("/ledger"))
    agent.balanced_ledger()
    code, listing, _ = agent.run("quarantine", "ls", "-c", agent.conf)
    until(lambda: agent.run("quarantine", "ls", "-c", agent.conf)[1].strip(), 10, "the quarantine's listing")
    code, listing, err = agent.run("quarantine", "ls", "-c", agent.conf)
    check(code == 0 and len(listing.strip().splitlines()) == 1, "listing: %s %s" % (listing, err))
    check("Lua-Error" in listing and SECRET not in listing, "listing: " + listing)
    agent.stop()
    records = list(read_records(os.path.join(agent.dir, "out")))
    check(len(records) == 999 and all(r.get("ruled") and "secret" not in r for r in records), "%d records out" % len(records))
    raw = list(files_with_secret(agent.dir))
    check(not raw, "the secret lies in " + ", ".join(raw))

    with open(rule, "w", encoding="utf-8") as f:
        f.write(GOOD)
    agent.start()
    code, text, err = agent.run("quarantine", "replay", "-c", agent.conf)
    check(code == 0 and json.loads(text)["replayed"] == 1, "replay: %s %s" % (text, err))
    code, text, err = agent.run("quarantine", "replay", "-c", agent.conf)
    check(json.loads(text)["replayed"] == 0, "replayed again: " + text)
    until(lambda: agent.ledger()["outputs"]["file.0"]["pending"] == 0, 20, "delivery")
    agent.balanced_ledger()
    agent.stop()
    ids = sorted(r["n"] for r in read_records(os.path.join(agent.dir, "out")))
    check(ids == list(range(1000)), "after the replay: %d ids" % len(ids))
    check(not list(files_with_secret(agent.dir)), "the secret came out of the replay")
    print("999 out as ruled, 1 quarantined, 0 raw; replayed once")


main()
