# SPDX-License-Identifier: Apache-2.0
"""storage.type memory: a tailed file's position is saved only after every output has its lines, so that kill -9 at any
moment may repeat lines but loses none."""

import os
import random
import time

from weir import Agent, check, until

CONF = """
[INPUT]
    name tail
    path {dir}/logs/in.log
    tag app
    read_from_head on
[OUTPUT]
    name file
    match *
    path {dir}/out
    file lines
    format template
    template {log}
    mkdir on
"""
LINES, KILLS = 3000, 3
SEED = int(os.environ.get("WEIR_SEED", time.time_ns() % 1_000_000))


def lines_out(agent):
    path = os.path.join(agent.dir, "out", "lines")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [line.strip() for line in f]


def main():
    random.seed(SEED)
    print("seed", SEED)
    agent = Agent(CONF, service="storage.type memory")
    os.makedirs(os.path.join(agent.dir, "logs"))
    with open(os.path.join(agent.dir, "logs", "in.log"), "w", encoding="utf-8", buffering=1) as log:
        for n in range(LINES):
            if n % (LINES // (KILLS + 1)) == 0:
                agent.kill()
                agent.start()
                time.sleep(random.uniform(0, 2.5))
            log.write("line-%d\n" % n)
    until(lambda: "line-%d" % (LINES - 1) in lines_out(agent), 20, "the last line")
    agent.balanced_ledger()
    time.sleep(5)  # the agent looks once a second, and needs two looks
    agent.kill()
    agent.start()
    time.sleep(1)
    check(agent.ledger()["in"] == 0, "delivered lines were read again: " + agent.get("/ledger"))
    agent.stop()
    out = lines_out(agent)
    there = set(out)
    missing = [n for n in range(LINES) if "line-%d" % n not in there]
    print("%d lines, %d missing, %d repeated" % (LINES, len(missing), len(out) - len(there)))
    check(not missing, "missing: %s" % missing[:5])


main()
