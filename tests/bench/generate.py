#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Product-analytics events for the benchmarks: about 447 bytes and 36 JSON values each, the same for the same count.
usage: generate.py COUNT > events.jsonl"""

import json
import random
import sys

KINDS = ["prompt:submitted", "prompt:completed", "sketch:viewed", "sketch:modified", "session:started", "error:client"]
BROWSERS = [("Chrome", "96.0"), ("Firefox", "95.0"), ("Safari", "15.1")]


def events(count):
    rnd = random.Random(4711)
    for n in range(count):
        browser, version = rnd.choice(BROWSERS)
        yield {
            "event_id": "%028x" % rnd.getrandbits(112), "event_type": rnd.choice(KINDS),
            "timestamp": "2026-03-%02dT%02d:%02d:%02d.%03dZ" % (n % 28 + 1, n % 24, n % 60, n * 7 % 60, n % 1000),
            "session_id": "s%07d" % (n // 20), "user_id": "u%06d" % (n % 99991), "sketch_id": "k%05d" % (n % 5003),
            "ip": "203.0.%d.%d" % (n % 250, n * 3 % 250),
            "properties": {"length": n % 400, "ms": round(rnd.random() * 900, 2), "ok": n % 9 != 0, "tool": "brush",
                           "path": [n % 10, 2, 3, 4, 5, 6, 7, 8, 9, 0], "zoom": 1.5, "err": None, "pen": 1},
            "metadata": {"app_version": "1.4.2", "platform_info": {
                "browser": browser, "version": version, "os": "Windows", "device_type": "desktop"}},
        }


def lines(count):
    for event in events(count):
        yield json.dumps(event, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    sys.stdout.writelines(lines(int(sys.argv[1])))
