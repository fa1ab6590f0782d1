# SPDX-License-Identifier: Apache-2.0
"""The quarantine keeps within its limit, says so and loses nothing; what is in it outlives kill -9, is counted once and replayed once,
also when the replay is killed."""

import json
import os
import random
import subprocess
import time

from weir import Agent, binary, check, until

CONF = """
[INPUT]
    name http
    listen 127.0.0.1
    port {port}
    tag web
    buffer_max_size 2M
[FILTER]
    name lua
    match *
    script {dir}/rule.lua
    call f
[OUTPUT]
    name file
    match *
    path {dir}/out
    format plain
    mkdir on
"""
BAD = "function f(tag, ts, r) if r.n % 2 == 1 then error('odd') end return 0 end\n"
GOOD = "function f(tag, ts, r) return 0 end\n"
SEED = int(os.environ.get("WEIR_SEED", time.time_ns() % 1_000_000))


def rule(agent, text):
    with open(os.path.join(agent.dir, "rule.lua"), "w", encoding="utf-8") as f:
        f.write(text)


def size(agent):
    folder = os.path.join(agent.dir, "state/quarantine")
    return sum(os.path.getsize(os.path.join(folder, n)) for n in os.listdir(folder))


def limit():
    agent = Agent(CONF, "quarantine.limit_size 20M")
    rule(agent, BAD)
    agent.start()
    pad = "p" * 1_000_000
    for n in range(1, 121, 2):
        status, text, _ = agent.post("/v1/events", json.dumps({"event_id": "e%d" % n, "n": n, "pad": pad}))
        check(status == 200 and json.loads(text)["quarantined"] == 1, text[:200])

    def full():
        return "weir_quarantine_full 1" in agent.get("/api/v2/metrics/prometheus")

    until(full, 20, "the limit: %d bytes" % size(agent))
    check("quarantine is full" in agent.log_text(), agent.log_text())
    check(size(agent) < 24e6, "%d bytes are kept" % size(agent))
    check(agent.balanced_ledger()["quarantined"] == 60, agent.get("/ledger"))
    rule(agent, GOOD)
    agent.stop()
    agent.start()
    replayed = 0
    while replayed < 60:  # what waited in the log moves up as there is room
        n = json.loads(agent.run("quarantine", "replay", "-c", agent.conf)[1])["replayed"]
        replayed += n
        if not n:
            until(lambda: agent.run("quarantine", "ls", "-c", agent.conf)[1].count("(replayed)") <
                  agent.run("quarantine", "ls", "-c", agent.conf)[1].count("\n"), 20, "the next entries")
    until(lambda: agent.ledger()["outputs"]["file.0"]["pending"] == 0, 20, "delivery")
    agent.balanced_ledger()
    agent.stop()
    with open(os.path.join(agent.dir, "out/web"), encoding="utf-8") as f:
        seen = sorted(json.loads(line)["n"] for line in f)
    check(seen == list(range(1, 121, 2)), "%d events came out of the quarantine" % len(seen))
    print("limit: 60 entries of 1 MB through a quarantine of 20 MB, none lost")


def kills():
    agent = Agent(CONF)
    rule(agent, BAD)
    agent.start()
    for n in range(0, 200, 20):
        status, text, _ = agent.post("/v1/events", json.dumps([{"event_id": "e%d" % i, "n": i} for i in range(n, n + 20)]))
        check(status == 200 and json.loads(text)["quarantined"] == 10, text)
        if random.random() < 0.4:
            agent.kill()
            agent.start()
    until(lambda: agent.run("quarantine", "ls", "-c", agent.conf)[1].count("\n") == 100, 10, "100 entries")
    check(agent.balanced_ledger()["quarantined"] == 100, agent.get("/ledger"))
    rule(agent, GOOD)
    agent.stop()
    agent.start()
    for _ in range(4):  # a replay that is killed in the middle, at any moment
        p = subprocess.Popen([binary(), "quarantine", "replay", "-c", agent.conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, 0.12))
        agent.kill()
        p.wait(20)
        agent.start()
    code, text, err = agent.run("quarantine", "replay", "-c", agent.conf)
    check(code == 0, text + err)
    check(json.loads(agent.run("quarantine", "replay", "-c", agent.conf)[1])["replayed"] == 0, "a second replay found something")
    until(lambda: agent.ledger()["outputs"]["file.0"]["pending"] == 0, 10, "delivery")
    agent.balanced_ledger()
    agent.stop()
    with open(os.path.join(agent.dir, "out/web"), encoding="utf-8") as f:
        seen = sorted(json.loads(line)["n"] for line in f)
    missing, twice = set(range(200)) - set(seen), [n for n in set(seen) if seen.count(n) > 1]
    check(not missing and not twice, "seed %d: missing %s twice %s" % (SEED, sorted(missing)[:5], twice[:5]))
    print("kills: 100 quarantined once, replayed once over four killed replays")


random.seed(SEED)
print("seed", SEED)
limit()
kills()
