#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small SketchyChain: people sketch with AI prompts.  It writes a JSON application log and an access log, rotates
both, posts events as the browser SDK would, and prints every few seconds what its weir made of it."""

import argparse
import json
import os
import random
import signal
import threading
import time
import urllib.error
import urllib.request
import uuid

PEOPLE = [("ada", "ada@example.com", "203.0.113.7"), ("grace", "grace.hopper@example.org", "198.51.100.23"),
          ("linus", "linus+sketch@example.net", "2001:db8:85a3:8d3:1319:8a2e:370:7348"), ("mary", "mary@example.co.uk", "192.0.2.146")]
PROMPTS = ["draw a bouncing ball", "make it blue, and mail {mail} when done", "add gravity", "why is my sketch slow?",
           "fix the bug that {mail} reported", "spiral of triangles"]
SESSIONS = {user: "session-" + uuid.uuid4().hex[:12] for user, _, _ in PEOPLE}
CATEGORIES = ["feature_request", "bug_fix", "style", "question"]
stopping = threading.Event()


def now():
    t = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + ".%03dZ" % (t % 1 * 1000)


class RotatingLog:
    """One line a write; every `seconds` the file is renamed to .1 and begun anew, as logrotate does."""

    def __init__(self, path, seconds):
        self.path, self.seconds, self.due = path, seconds, time.time() + seconds
        self.file = open(path, "a", buffering=1, encoding="utf-8")

    def write(self, line):
        if time.time() >= self.due:
            os.replace(self.path, self.path + ".1")
            self.file.close()
            self.file = open(self.path, "a", buffering=1, encoding="utf-8")
            self.due = time.time() + self.seconds
        self.file.write(line + "\n")


def write_logs(folder, rate):
    app = RotatingLog(os.path.join(folder, "app.log"), 10)
    access = RotatingLog(os.path.join(folder, "access.log"), 10)
    while not stopping.wait(1 / rate):
        user, mail, address = random.choice(PEOPLE)
        app.write(json.dumps({"time": now(), "level": random.choice(["info", "info", "warn"]), "user_id": user,
                              "client": address, "message": "prompt done for %s" % mail,
                              "duration_ms": round(random.expovariate(1 / 800), 1)}))
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
        access.write('%s - %s [%s] "POST /api/prompts?token=%s HTTP/1.1" 201 %d "https://sketchychain.example/" "Mozilla/5.0"'
                     % (address, user, stamp, uuid.uuid4().hex, random.randrange(200, 5000)))


def event():
    user, mail, _ = random.choice(PEOPLE)
    kind = random.choice(["prompt:submitted", "prompt:completed", "sketch:viewed", "session:started", "error:client"])
    properties = {"prompt_text": random.choice(PROMPTS).format(mail=mail), "category": random.choice(CATEGORIES)}
    if kind == "prompt:completed":
        properties = {"success": random.random() < 0.9, "processing_time_ms": round(random.expovariate(1 / 900), 1)}
    body = {"event_id": str(uuid.uuid4()), "event_type": kind, "timestamp": now(), "session_id": SESSIONS[user],
            "user_id": user, "sketch_id": "sketch-%d" % random.randrange(20), "properties": properties,
            "metadata": {"client_timestamp": now(), "app_version": "1.0.0",
                         "platform_info": {"browser": "Chrome", "version": "96.0.4664.110", "os": "Windows",
                                           "device_type": "desktop"}}}
    if random.random() < 0.03:  # a client with a bug
        del body["session_id"]
    return body


def post_events(url, rate):
    while not stopping.wait(1):
        body = json.dumps({"sent_at": now(), "events": [event() for _ in range(rate)]}).encode()
        while not stopping.is_set():  # the same batch again until it is acknowledged: the agent counts it once
            try:
                request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
                urllib.request.urlopen(request, timeout=10).read()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)


def read_ledger(url):
    try:
        return json.load(urllib.request.urlopen(url, timeout=2))
    except (urllib.error.URLError, OSError, ValueError):
        return None


def print_status(url, every):
    before = 0
    while not stopping.wait(every):
        ledger = read_ledger(url)
        if not ledger:
            print("no answer from", url, flush=True)
            continue
        out = sum(o["delivered"] for o in ledger["outputs"].values())
        print("in %d (+%d)   out %d   waiting %d   quarantined %d   filtered %d   duplicates %d   %s" % (
            ledger["in"], ledger["in"] - before, out, sum(o["pending"] for o in ledger["outputs"].values()),
            ledger["quarantined"], ledger["filtered"], ledger["deduplicated"],
            "balanced" if ledger["balanced"] else "NOT BALANCED"), flush=True)
        before = ledger["in"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--port", type=int, default=9880)
    parser.add_argument("--admin-port", type=int, default=2020)
    parser.add_argument("--seconds", type=float, default=0, help="0: until it is stopped")
    parser.add_argument("--rate", type=int, default=20, help="log lines and events a second")
    args = parser.parse_args()
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # taken in one place: both may come at once
    logs = os.path.join(args.dir, "logs")
    os.makedirs(logs, exist_ok=True)
    threads = [threading.Thread(target=write_logs, args=(logs, args.rate)),
               threading.Thread(target=post_events, args=("http://127.0.0.1:%d/v1/events" % args.port, args.rate)),
               threading.Thread(target=print_status, args=("http://127.0.0.1:%d/ledger" % args.admin_port, 3))]
    for t in threads:
        t.start()
    signal.sigtimedwait(ends, args.seconds) if args.seconds else signal.sigwait(ends)
    stopping.set()
    for t in threads:
        t.join()


main()
