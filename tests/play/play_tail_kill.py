# SPDX-License-Identifier: Apache-2.0
"""JSON lines are tailed while their writer rotates the file by rename every second; in the second half the agent is
killed and restarted at random moments.  Every line is once in the output file, and the ledger balances."""

import json
import os
import random
import threading
import time

from weir import LONG, Agent, check, fail, until

LINES = 1_000_000 if LONG else 150_000
KILLS = 10 if LONG else 4
SEED = int(os.environ.get("WEIR_SEED", time.time_ns() % 1_000_000))
CONF = """
[INPUT]
    name tail
    path {dir}/logs/app.log
    tag app
    parser json
    read_from_head on
    refresh_interval 1
    rotate_wait 2
[OUTPUT]
    name file
    match *
    path {dir}/out
    file app.out
    format json_lines
    mkdir on
"""


def write_lines(folder, lines, seconds, done):
    """About `seconds` long, whole lines, a rename every second; rotated files are app.log.1, .2 and so on, all kept."""
    path = os.path.join(folder, "app.log")
    per_round = max(1, int(lines / seconds / 20))
    rotate_at, generation, i = time.time() + 1, 0, 0
    f = open(path, "w", encoding="utf-8")
    while i < lines:
        chunk = "".join('{"id":%d,"event_type":"prompt:submitted","user":"u%d","text":"%s"}\n' % (n, n % 1000, "x" * 80)
                        for n in range(i, min(lines, i + per_round)))
        f.write(chunk)
        f.flush()
        i += per_round
        if time.time() >= rotate_at:
            generation += 1
            os.rename(path, "%s.%d" % (path, generation))
            f.close()
            f = open(path, "w", encoding="utf-8")
            rotate_at += 1
        time.sleep(0.05)
    f.close()
    done.set()


def count_ids(path, lines):
    seen = bytearray(lines)
    twice = 0
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            for line in f:
                if not line.endswith("\n"):
                    continue  # being written
                n = json.loads(line)["id"]
                twice += seen[n]
                seen[n] = 1
    return seen, twice


def play(kills):
    agent = Agent(CONF)
    logs = os.path.join(agent.dir, "logs")
    os.makedirs(logs)
    seconds = max(6.0, LINES / 100_000)
    done = threading.Event()
    agent.start()
    writer = threading.Thread(target=write_lines, args=(logs, LINES, seconds, done), daemon=True)
    writer.start()
    for _ in range(kills):
        time.sleep(random.uniform(0.1, 2 * seconds / kills))
        agent.kill()
        agent.start()
        agent.balanced_ledger()
    check(done.wait(seconds * 10 + 60), "the writer did not end")

    def all_delivered():
        ledger = agent.ledger()
        return ledger and ledger["logged"] >= LINES and all(o["pending"] == 0 for o in ledger["outputs"].values())

    until(all_delivered, 120, "all lines to be delivered: %s\n%s" % (agent.get("/ledger"), agent.log_text()))
    ledger = agent.balanced_ledger()
    agent.stop()
    seen, twice = count_ids(os.path.join(agent.dir, "out", "app.out"), LINES)
    missing = LINES - sum(seen)
    print("kills %d: %d lines, %d missing, %d twice, ledger in %d" % (kills, LINES, missing, twice, ledger["in"]))
    if missing or twice:
        fail("seed %d; first missing %s" % (SEED, seen.find(b"\0")))


random.seed(SEED)
print("seed", SEED)
play(0)
play(KILLS)
