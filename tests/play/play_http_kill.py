# SPDX-License-Identifier: Apache-2.0
"""Events are posted in batches of 100 by 8 connections, re-sent on failure, while the agent is killed and restarted at
random moments.  Every acknowledged id is exactly once in the output; the ledger balances after each restart."""

import http.client
import json
import os
import random
import threading
import time

from weir import LONG, Agent, check, fail, read_records, until

EVENTS = 100_000 if LONG else 40_000
BATCH, CLIENTS = 100, 8
KILLS = 10 if LONG else 5
SEED = int(os.environ.get("WEIR_SEED", time.time_ns() % 1_000_000))
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
    path_template dt=%Y-%m-%d/$TAG
    compress gzip
    format json_lines
    roll_interval 2s
    mkdir on
"""
acknowledged, lock = set(), threading.Lock()


def body_of(first):
    return json.dumps({"events": [{"event_id": "e-%d" % n, "event_type": "prompt:submitted", "n": n,
                                   "properties": {"text": "y" * 60}} for n in range(first, first + BATCH)]})


def client(agent, firsts):
    connection = None
    for first in firsts:
        body = body_of(first)
        while True:
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=20)
                connection.request("POST", "/v1/events", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status // 100 == 2:
                    reply = json.loads(text)
                    taken = reply["accepted"] + reply["duplicate"]
                    check(taken == BATCH, "reply %s" % text[:300])
                    with lock:
                        acknowledged.update(range(first, first + BATCH))
                    break
                check(answer.status in (429, 503), "status %d: %s" % (answer.status, text[:300]))
                time.sleep(0.05)
            except (OSError, http.client.HTTPException):
                connection = None
                time.sleep(0.02)


def main():
    random.seed(SEED)
    print("seed", SEED)
    agent = Agent(CONF).start()
    batches = list(range(0, EVENTS, BATCH))
    threads = [threading.Thread(target=client, args=(agent, batches[i::CLIENTS]), daemon=True) for i in range(CLIENTS)]
    for t in threads:
        t.start()
    for _ in range(KILLS):
        time.sleep(random.uniform(0.05, 0.6))
        agent.kill()
        agent.start()
        agent.balanced_ledger()
    for t in threads:
        t.join(180)
        check(not t.is_alive(), "a client did not end: " + agent.log_text())
    until(lambda: all(o["pending"] == 0 for o in agent.ledger()["outputs"].values()), 60, "delivery: " + str(agent.get("/ledger")))
    ledger = agent.balanced_ledger()
    agent.stop()
    count = {}
    for record in read_records(os.path.join(agent.dir, "out")):
        count[record["n"]] = count.get(record["n"], 0) + 1
    missing = [n for n in acknowledged if n not in count]
    twice = [n for n, c in count.items() if c > 1]
    print("acknowledged %d, in the output %d, missing %d, twice %d, deduplicated %d" % (
        len(acknowledged), len(count), len(missing), len(twice), ledger["deduplicated"]))
    if missing or twice or len(acknowledged) != EVENTS:
        fail("seed %d: missing %s twice %s" % (SEED, missing[:5], twice[:5]))


main()
