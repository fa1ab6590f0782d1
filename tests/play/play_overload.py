# SPDX-License-Identifier: Apache-2.0
"""A store that is full because an output is away, and a disk that is full: inputs are refused before their body is read,
tail waits, outputs drain, and everything resumes by itself with nothing lost and nothing twice."""

import http.client
import http.server
import json
import os
import socket
import subprocess
import threading
import time

from weir import LONG, Agent, check, free_port, until

CONF = """
[INPUT]
    name http
    listen 127.0.0.1
    port {port}
    tag web
[INPUT]
    name tail
    path {dir}/logs/*.log
    tag app
    parser json
    read_from_head on
    refresh_interval 1
[OUTPUT]
    name http
    match *
    host 127.0.0.1
    port SINK
    format json_lines
    json_date_key false
"""
PAD = "z" * 900
BATCH = 100


class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    keys, count, lock = set(), {}, threading.Lock()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with Sink.lock:
            if self.headers["Idempotency-Key"] not in Sink.keys:
                Sink.keys.add(self.headers["Idempotency-Key"])
                for line in body.splitlines():
                    n = json.loads(line)["id"]
                    Sink.count[n] = Sink.count.get(n, 0) + 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def serve(port):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def batch(first):
    return json.dumps([{"event_id": "w%d" % n, "id": "w%d" % n, "pad": PAD} for n in range(first, first + BATCH)])


def refused_before_the_body(agent, statuses):
    """Only the head is sent: an answer that comes all the same did not wait for the body."""
    with socket.create_connection(("127.0.0.1", agent.port), timeout=5) as s:
        s.sendall(b"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n")
        answer = s.recv(4096).decode()
    check(int(answer.split()[1]) in statuses and "retry-after:" in answer.lower(), "to a head alone: " + answer)


def fill(agent, statuses, most):
    """Posts until it is refused; the number of events taken."""
    taken = 0
    c = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=30)
    while taken < most:
        try:
            c.request("POST", "/v1/events", batch(taken), {"Content-Type": "application/json"})
            r = c.getresponse()
            text = r.read().decode()
        except (OSError, http.client.HTTPException) as e:  # the answer came while the body was being sent
            c.close()
            continue
        if r.status != 200:
            check(r.status in statuses, "refused with %d: %s" % (r.status, text))
            check(int(r.headers["Retry-After"]) >= 1, "Retry-After: %s" % r.headers)
            return taken
        check(json.loads(text)["accepted"] == BATCH, text)
        taken += BATCH
    check(False, "%d events were taken and none was refused" % taken)


def finish(agent, lines, web):
    """Clients come back with what was refused; then all is delivered once."""
    for first in range(web, web + 5 * BATCH, BATCH):
        def again():
            try:
                return agent.post("/v1/events", batch(first))[0] == 200
            except OSError:
                return False
        until(again, 30, "inputs to be taken again: " + agent.log_text())
    web += 5 * BATCH

    def done():
        ledger = agent.ledger()
        return ledger and ledger["logged"] >= lines + web and ledger["outputs"]["http.0"]["pending"] == 0

    until(done, 60, "delivery: %s\n%s" % (agent.get("/ledger"), agent.log_text()))
    agent.balanced_ledger()
    wanted = {"w%d" % n for n in range(web)} | {"t%d" % n for n in range(lines)}
    twice = [k for k, n in Sink.count.items() if n > 1]
    missing = wanted - set(Sink.count)
    check(not twice and not missing, "twice %d %s, missing %d %s" % (len(twice), twice[:3], len(missing), sorted(missing)[:3]))
    check(set(Sink.count) == wanted, "there are events that nobody sent")


class Writer(threading.Thread):
    """Goes on writing to a log, whatever happens to the agent."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        os.makedirs(folder, exist_ok=True)
        self.path, self.lines, self.ending = os.path.join(folder, "a.log"), 0, threading.Event()

    def run(self):
        with open(self.path, "w", encoding="utf-8") as f:
            while not self.ending.wait(0.02):
                f.write("".join('{"id":"t%d","pad":"%s"}\n' % (n, PAD) for n in range(self.lines, self.lines + 50)))
                f.flush()
                self.lines += 50

    def end(self):
        self.ending.set()
        self.join()
        return self.lines


def quota():
    sink = free_port()
    agent = Agent(CONF.replace("SINK", str(sink)), "storage.total_limit_size 16M\nstorage.segment_size 2M\nscheduler.base 100ms\nscheduler.cap 500ms")
    writer = Writer(os.path.join(agent.dir, "logs"))
    agent.start()
    web = fill(agent, (429,), 40_000)
    writer.start()
    refused_before_the_body(agent, (429,))
    until(lambda: writer.lines > 2000, 20, "the writer")
    until(lambda: "inputs paused" in agent.log_text() or agent.ledger()["held"] == 0, 5, "a pause")
    ledger = agent.balanced_ledger()
    size = sum(os.path.getsize(os.path.join(r, n)) for r, _, names in os.walk(os.path.join(agent.dir, "state")) for n in names)
    check(size < 24e6, "the store has grown to %d bytes; its limit is 16M" % size)
    check(ledger["in"] - web < writer.lines, "tail did not wait: %s" % ledger)
    # stopped and started while it is full
    agent.stop()
    agent.start()
    check(agent.post("/v1/events", batch(web))[0] == 429, "after a restart a full store takes events")
    server = serve(sink)
    time.sleep(0.5)
    lines = writer.end()
    finish(agent, lines, web)
    agent.stop()
    server.shutdown()
    server.server_close()
    print("quota: %d posted, then 429; tail waited with %d lines; all once after the outage" % (web, lines))


def full_disk():
    if os.geteuid() != 0:
        print("full disk: left out, a tmpfs takes root")
        return
    Sink.keys.clear()
    Sink.count.clear()
    sink = free_port()
    agent = Agent(CONF.replace("SINK", str(sink)), "storage.segment_size 2M\nscheduler.base 100ms\nscheduler.cap 500ms")
    state = os.path.join(agent.dir, "state")
    os.makedirs(state)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", state], capture_output=True).returncode:
        print("full disk: left out, no tmpfs can be mounted here")
        return
    try:
        writer = Writer(os.path.join(agent.dir, "logs"))
        agent.start()
        web = fill(agent, (429, 503), 60_000)
        writer.start()
        until(lambda: writer.lines > 1000, 20, "the writer")
        refused_before_the_body(agent, (429, 503))
        agent.balanced_ledger()
        # a guest takes what is left, so that nothing at all can be written
        try:
            with open(os.path.join(state, "guest"), "wb") as f:
                while True:
                    f.write(b"\0" * 4096)
                    f.flush()
        except OSError:
            pass
        refused_before_the_body(agent, (429, 503))
        time.sleep(0.5)
        server = serve(sink)
        until(lambda: agent.ledger()["outputs"]["http.0"]["pending"] == 0, 30, "outputs to drain: %s %s" % (agent.get("/ledger"), agent.log_text()))
        os.unlink(os.path.join(state, "guest"))
        time.sleep(0.5)
        lines = writer.end()
        finish(agent, lines, web)
        agent.stop()
        server.shutdown()
        server.server_close()
        print("full disk: %d posted, then refused; %d lines; all once when there was room" % (web, lines))
    finally:
        agent.kill()
        subprocess.run(["umount", "-l", state], check=False)


quota()
full_disk()
