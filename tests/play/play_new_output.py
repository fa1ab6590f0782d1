# SPDX-License-Identifier: Apache-2.0
"""An output that is new to the store begins now, or with `from oldest` at what the log still keeps; the ledger balances
at once, and kill -9 in the middle neither loses nor repeats anything."""

import json
import os
import random
import time

from weir import Agent, check, free_port, until

CONF = """
[INPUT]
    name http
    listen 127.0.0.1
    port {port}
[OUTPUT]
    name http
    alias away
    match *
    host 127.0.0.1
    port AWAY
"""
FILE = """
[OUTPUT]
    name file
    alias %s
    match%s
    path {dir}/%s
    file all
    format plain
    mkdir on
    from %s
"""
SEED = int(os.environ.get("WEIR_SEED", time.time_ns() % 1_000_000))


def post(agent, tag, first, n):
    status, text, _ = agent.post("/" + tag, json.dumps([{"n": i, "pad": "x" * 200} for i in range(first, first + n)]))
    check(status == 201, text)


def numbers(agent, name):
    try:
        with open(os.path.join(agent.dir, name, "all"), encoding="utf-8") as f:
            return sorted(json.loads(line)["n"] for line in f)
    except OSError:
        return []


def main():
    agent = Agent(CONF.replace("AWAY", str(free_port())), "scheduler.base 1s\nscheduler.cap 2s")  # it keeps the log
    agent.start()
    for first in range(0, 20_000, 1000):
        post(agent, "a" if first % 2000 else "b", first, 1000)
    agent.stop()
    with open(agent.conf, "a", encoding="utf-8") as f:
        for name, match, start in (("late", " *", "oldest"), ("only_b", "_regex ^b$", "oldest"), ("fresh", " *", "now")):
            f.write((FILE % (name, match, name, start)).replace("{dir}", agent.dir))
    for _ in range(4):
        agent.start(wait=False)
        time.sleep(random.uniform(0.0, 0.3))
        agent.kill()
    agent.start()
    agent.balanced_ledger()
    post(agent, "a", 20_000, 500)
    post(agent, "b", 20_500, 500)

    def done():
        outputs = agent.ledger()["outputs"]
        return all(outputs[o]["pending"] == 0 for o in ("late", "only_b", "fresh"))

    until(done, 30, "delivery: %s %s" % (agent.get("/ledger"), agent.log_text()))
    outputs = agent.balanced_ledger()["outputs"]
    agent.stop()
    check(agent.run("ledger", "-c", agent.conf)[0] == 0, "the ledger of the stopped agent")
    b = [n for n in range(20_000) if n // 1000 % 2 == 0] + list(range(20_500, 21_000))
    for name, wanted in (("late", list(range(21_000))), ("only_b", b), ("fresh", list(range(20_000, 21_000)))):
        got = numbers(agent, name)
        check(got == wanted, "seed %d: %s has %d events, %d of them different, not %d" % (SEED, name, len(got), len(set(got)), len(wanted)))
        check(outputs[name]["delivered"] == outputs[name]["routed"] == len(wanted), "%s: %s" % (name, outputs[name]))
    print("from oldest: %d and %d events, from now: 1000; over 4 kills" % (21_000, len(b)))


random.seed(SEED)
print("seed", SEED)
main()
