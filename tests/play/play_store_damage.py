# SPDX-License-Identifier: Apache-2.0
"""The agent's own files deleted, zeroed or scribbled over while it is stopped: it starts, loses nothing that is still in
the log, and the ledger balances."""

import glob
import json
import os

from weir import Agent, check, read_records, until

CONF = """
[INPUT]
    name http
    listen 127.0.0.1
    port {port}
    tag events
[OUTPUT]
    name file
    match *
    path {dir}/out
    file events
    format json_lines
    mkdir on
"""


def post(agent, first, count):
    events = [{"event_id": "e-%d" % n, "n": n} for n in range(first, first + count)]
    status, text, _ = agent.post("/v1/events", json.dumps({"events": events}))
    check(status // 100 == 2, "status %d: %s" % (status, text))
    return json.loads(text)


def delivered(agent):
    return all(o["pending"] == 0 for o in agent.ledger()["outputs"].values())


def overwrite(path, data):
    with open(path, "r+b") as f:
        f.write(data)


def main():
    agent = Agent(CONF).start()
    state = os.path.join(agent.dir, "state")
    damages = {
        "the cursor deleted": lambda p: os.unlink(p),
        "the cursor zeroed": lambda p: overwrite(p, bytes(os.path.getsize(p))),
        "the cursor scribbled over": lambda p: overwrite(p, os.urandom(os.path.getsize(p))),
        "the cursor cut short": lambda p: os.truncate(p, 100),
    }
    sent = 0
    for what, damage in damages.items():
        post(agent, sent, 50)
        sent += 50
        until(lambda: delivered(agent), 10, "delivery")
        agent.stop()
        damage(os.path.join(state, "cur", "file.0.cur"))
        agent.start()
        until(lambda: delivered(agent), 10, "delivery after " + what)
        agent.balanced_ledger()
        print(what + ": starts, balanced")
    # what was sent before is still known after all this
    check(post(agent, 0, sent)["duplicate"] == sent, "ids were forgotten")
    agent.stop()
    newest = sorted(glob.glob(os.path.join(state, "log", "*.seg")))[-1]
    with open(newest, "ab") as f:
        f.write(os.urandom(5000))
    agent.start()
    post(agent, sent, 50)
    sent += 50
    until(lambda: delivered(agent), 10, "delivery after garbage behind the log")
    agent.balanced_ledger()
    agent.stop()
    seen = {r["n"] for r in read_records(os.path.join(agent.dir, "out"))}
    check(seen == set(range(sent)), "%d of %d ids in the output" % (len(seen), sent))
    print("garbage behind the log: starts, balanced; %d ids, none lost" % sent)


main()
