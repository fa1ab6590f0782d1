# SPDX-License-Identifier: Apache-2.0
"""SIGTERM and SIGINT: at once when idle; within five seconds in an outage, whatever the server at the other end does;
and what was not delivered is delivered once after the restart."""

import http.server
import json
import os
import signal
import socket
import threading
import time

from weir import Agent, check, free_port, until

CONF = """
[INPUT]
    name http
    listen 127.0.0.1
    port {port}
    tag events
[OUTPUT]
    name http
    match *
    host 127.0.0.1
    port SINK
    format json_lines
[OUTPUT]
    name file
    match *
    path {dir}/out
    format json_lines
    mkdir on
"""
EVENTS = 500
SLOW = os.path.basename(os.path.dirname(os.path.abspath(__import__("weir").binary()))) != "release"


class Sink(http.server.BaseHTTPRequestHandler):
    """Counts ids; a delivery whose key it has seen is acknowledged and not counted again."""
    protocol_version = "HTTP/1.1"
    keys, count, lock = set(), {}, threading.Lock()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with Sink.lock:
            if self.headers["Idempotency-Key"] not in Sink.keys:
                Sink.keys.add(self.headers["Idempotency-Key"])
                for line in body.splitlines():
                    n = json.loads(line)["n"]
                    Sink.count[n] = Sink.count.get(n, 0) + 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def post_all(agent):
    for first in range(0, EVENTS, 100):
        status, text, _ = agent.post("/v1/events", json.dumps([{"event_id": "e%d" % n, "n": n} for n in range(first, first + 100)]))
        check(status == 200 and json.loads(text)["accepted"] == 100, text)


def end(agent, sig):
    """How long it takes to end; it must end well."""
    began = time.monotonic()
    agent.process.send_signal(sig)
    try:
        code = agent.process.wait(20)
    except Exception:
        check(False, "the agent did not end: " + agent.log_text())
    took = time.monotonic() - began
    check(code == 0, "exit status %d: %s" % (code, agent.log_text()))
    return took


def outage(kind, sig):
    """The server is away (closed), takes connections and says nothing (mute), or answers a byte a second (slow)."""
    Sink.keys.clear()
    Sink.count.clear()
    port = free_port()
    agent = Agent(CONF.replace("SINK", str(port)), "scheduler.base 100ms\nscheduler.cap 500ms")
    listener, held = None, []
    if kind != "closed":
        listener = socket.create_server(("127.0.0.1", port), backlog=50)

        def accept():
            try:
                while True:
                    c = listener.accept()[0]
                    held.append(c)
                    if kind == "slow":
                        threading.Thread(target=drip, args=(c,), daemon=True).start()
            except OSError:
                pass

        def drip(c):
            try:
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 1000:
                    c.send(bytes([byte]))
                    time.sleep(0.3)
            except OSError:
                pass

        threading.Thread(target=accept, daemon=True).start()
    agent.start()
    post_all(agent)
    until(lambda: agent.ledger()["outputs"]["file.1"]["delivered"] == EVENTS, 10, "the file's events")
    time.sleep(0.3)
    took = end(agent, sig)
    check(took < 5, "%s: it took %.1f s to end: %s" % (kind, took, agent.log_text()))
    code, text, err = agent.run("ledger", "-c", agent.conf, "--json")
    check(code == 0, "the ledger of the stopped agent: %s %s" % (text, err))
    owed = json.loads(text)["outputs"]["http.0"]
    check(owed["pending"] == EVENTS and owed["delivered"] == 0, "owed after the stop: %s" % owed)
    if listener:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for c in held:
            c.close()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    agent.start()
    until(lambda: agent.ledger()["outputs"]["http.0"]["pending"] == 0, 20, "delivery after the restart: " + agent.log_text())
    agent.balanced_ledger()
    agent.stop()
    server.shutdown()
    server.server_close()
    check(sorted(Sink.count) == list(range(EVENTS)), "%s: %d of %d ids" % (kind, len(Sink.count), EVENTS))
    check(set(Sink.count.values()) == {1}, "%s: some ids came more than once" % kind)
    return took


def idle(sig):
    agent = Agent("[INPUT]\n    name http\n    listen 127.0.0.1\n    port {port}\n[OUTPUT]\n    name null\n    match *\n")
    times = []
    for _ in range(3):
        agent.start()
        times.append(end(agent, sig))
    best = min(times)
    limit = 2.0 if SLOW else 0.05
    check(best < limit, "idle: %.0f ms to end, the limit is %.0f ms" % (best * 1000, limit * 1000))
    return best


def main():
    print("idle: SIGTERM %.0f ms, SIGINT %.0f ms" % (idle(signal.SIGTERM) * 1000, idle(signal.SIGINT) * 1000))
    for kind, sig in (("closed", signal.SIGTERM), ("mute", signal.SIGINT), ("slow", signal.SIGTERM)):
        print("%s server: %.2f s to end; all %d events once after the restart" % (kind, outage(kind, sig), EVENTS))


main()
