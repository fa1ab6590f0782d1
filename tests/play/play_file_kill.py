# SPDX-License-Identifier: Apache-2.0
"""Three file outputs (append-only by tag, rolled gzip by date, rolled plain by a field, more names than may grow) are killed and restarted at
random moments while lines flow.  Every line is once in each of them, files appear whole, and nothing is left growing."""

import collections
import gzip
import json
import os
import random
import threading
import time

from weir import LONG, Agent, check, fail, until

LINES = 600_000 if LONG else 60_000
KILLS = 20 if LONG else 6
SEED = int(os.environ.get("WEIR_SEED", time.time_ns() % 1_000_000))
CONF = """
[INPUT]
    name tail
    path {dir}/logs/*.log
    tag app.*
    parser json
    read_from_head on
    refresh_interval 1
[OUTPUT]
    name file
    alias append
    match *
    path {dir}/append
    format plain
    mkdir on
[OUTPUT]
    name file
    alias archive
    match *
    path {dir}/archive
    path_template dt=%Y-%m-%d/hour=%H/$TAG
    format json_lines
    compress gzip
    roll_size 256k
    roll_interval 2s
    mkdir on
[OUTPUT]
    name file
    alias shards
    match *
    path {dir}/shards
    path_template by/$shard
    format json_lines
    roll_size 100k
    roll_interval 1s
    max_dynamic_files 30
    mkdir on
"""


def write_lines(folder, done):
    files = [open(os.path.join(folder, name), "w", encoding="utf-8") for name in ("a.log", "b.log")]
    step = LINES // 100
    for start in range(0, LINES, step):
        for f, parity in zip(files, (0, 1)):
            f.write("".join('{"id":%d,"shard":"../s%d","text":"%s"}\n' % (n, n // 1000, "x" * 60)
                            for n in range(start, start + step) if n % 2 == parity))
            f.flush()
        time.sleep(0.05)
    done.set()


def ids(folder, hidden):
    """Counts of the ids in finished files; hidden ones are counted apart."""
    seen = collections.Counter()
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            if name.startswith("."):
                hidden.append(path)
                continue
            opener = gzip.open if name.endswith(".gz") else open
            with opener(path, "rt", encoding="utf-8") as f:
                for line in f:
                    seen[json.loads(line)["id"]] += 1
    return seen


def play():
    agent = Agent(CONF)
    logs = os.path.join(agent.dir, "logs")
    os.makedirs(logs)
    done = threading.Event()
    agent.start()
    threading.Thread(target=write_lines, args=(logs, done), daemon=True).start()
    for _ in range(KILLS):
        time.sleep(random.uniform(0.05, 1.5))
        agent.kill()
        hidden = []
        for folder in ("archive", "shards"):  # what has its name is whole, also now
            for n, count in ids(os.path.join(agent.dir, folder), hidden).items():
                check(count == 1, "seed %d: id %d is %d times in %s after a kill" % (SEED, n, count, folder))
        agent.start()
    check(done.wait(300), "the writer did not end")

    def all_delivered():
        ledger = agent.ledger()
        return ledger and ledger["logged"] >= LINES and all(o["pending"] == 0 for o in ledger["outputs"].values())

    until(all_delivered, 120, "all lines to be delivered: %s\n%s" % (agent.get("/ledger"), agent.log_text()))
    agent.balanced_ledger()
    agent.stop()
    for folder in ("append", "archive", "shards"):
        hidden = []
        seen = ids(os.path.join(agent.dir, folder), hidden)
        twice = sum(c - 1 for c in seen.values())
        print("%s: %d of %d lines, %d too often" % (folder, len(seen), LINES, twice))
        if len(seen) != LINES or twice or hidden:
            fail("seed %d: %s: left %s\n%s" % (SEED, folder, hidden, agent.log_text()))
    check(not os.path.exists(os.path.join(agent.dir, "s0")), "a field led out of the root")


random.seed(SEED)
print("seed", SEED)
play()
