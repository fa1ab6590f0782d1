# SPDX-License-Identifier: Apache-2.0
"""What every play uses: an agent with a configuration in a temporary directory, started, killed and asked."""

import atexit
import gzip
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

LONG = bool(os.environ.get("WEIR_LONG"))
SOURCE = os.environ.get("WEIR_SOURCE", os.path.abspath(os.path.join(os.path.dirname(__file__), "../..")))


def binary():
    return os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(SOURCE, "build/release/weir"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(condition, seconds, what):
    """Waits until condition() is true; fails the play with `what` otherwise."""
    end = time.time() + seconds
    while time.time() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    fail("waited %gs for %s" % (seconds, what))


def fail(text):
    print("FAILED:", text, file=sys.stderr)
    sys.exit(1)


def check(condition, text):
    if not condition:
        fail(text)


class Agent:
    """conf: text of a classic configuration; {dir}, {admin} and {port} are replaced.  Its [SERVICE] is written here."""

    def __init__(self, conf, service="", keep=False):
        self.dir = tempfile.mkdtemp(prefix="weir-play-")
        if not keep:
            atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        atexit.register(self.kill)
        self.admin, self.port = free_port(), free_port()
        self.conf = os.path.join(self.dir, "weir.conf")
        self.log = os.path.join(self.dir, "weir.log")
        self.process = None
        head = "[SERVICE]\n    http_port %d\n    storage.path %s/state\n    parsers_file %s/conf/parsers.conf\n%s\n" % (
            self.admin, self.dir, SOURCE, "".join("    %s\n" % line.strip() for line in service.splitlines() if line.strip()))
        text = conf.replace("{dir}", self.dir).replace("{admin}", str(self.admin)).replace("{port}", str(self.port))
        text = text.replace("{source}", SOURCE)
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(head + text)

    def start(self, wait=True):
        log = open(self.log, "ab")
        self.process = subprocess.Popen([binary(), "-c", self.conf], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        if wait:
            until(self.ready, 30, "the agent to start:\n" + self.log_text())
        return self

    def ready(self):
        if self.process.poll() is not None:
            fail("the agent ended with %s:\n%s" % (self.process.returncode, self.log_text()))
        return self.get("/api/v1/uptime") is not None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self, seconds=20):
        """SIGTERM; returns how long it took."""
        began = time.time()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            fail("the agent did not end within %gs:\n%s" % (seconds, self.log_text()))
        check(code == 0, "exit status %d:\n%s" % (code, self.log_text()))
        return time.time() - began

    def log_text(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                return f.read()[-4000:]
        except OSError:
            return ""

    def get(self, path):
        try:
            c = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=5)
            c.request("GET", path)
            body = c.getresponse().read()
            c.close()
            return body.decode()
        except OSError:
            return None

    def ledger(self):
        text = self.get("/ledger")
        return json.loads(text) if text else None

    def balanced_ledger(self):
        ledger = self.ledger()
        check(ledger and ledger["balanced"], "the ledger does not balance: %s" % json.dumps(ledger))
        left = ledger["in"] + ledger["created"]
        right = sum(ledger[k] for k in ("filtered", "deduplicated", "quarantined", "dropped", "unrouted", "held", "logged"))
        check(left == right, "in + created is %d, the rest is %d: %s" % (left, right, json.dumps(ledger)))
        for name, o in ledger["outputs"].items():
            check(o["routed"] == o["delivered"] + o["pending"] + o["quarantined"] + o["dropped"],
                  "output %s does not balance: %s" % (name, json.dumps(o)))
        return ledger

    def run(self, *args):
        """A subcommand; (status, stdout, stderr)."""
        p = subprocess.run([binary(), *args], capture_output=True, text=True, timeout=60)
        return p.returncode, p.stdout, p.stderr

    def post(self, path, body, headers=None, port=None):
        c = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=30)
        c.request("POST", path, body, headers or {"Content-Type": "application/json"})
        r = c.getresponse()
        text = r.read().decode()
        c.close()
        return r.status, text, r.headers


def read_records(folder):
    """Every JSON line below a folder, compressed or not; parts that are still growing are left out."""
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            if name.startswith("."):
                continue
            path = os.path.join(root, name)
            opener = gzip.open if name.endswith(".gz") else open
            with opener(path, "rt", encoding="utf-8") as f:
                for line in f:
                    yield json.loads(line)
