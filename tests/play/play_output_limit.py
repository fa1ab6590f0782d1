# SPDX-License-Identifier: Apache-2.0
"""An output that is away reaches its storage.total_limit_size: the input that feeds it is refused, the other goes on, and
everything arrives once when it is back."""

import http.client
import http.server
import json
import threading
import time

from weir import Agent, check, free_port, until

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


def conf(port, sink):
    return f"""
[INPUT]
    name http
    listen 127.0.0.1
    port {port}
    tag web
[INPUT]
    name dummy
    alias other
    tag other
    rate 50
[OUTPUT]
    name http
    alias away
    match web*
    host 127.0.0.1
    port {sink}
    format json_lines
    json_date_key false
    storage.total_limit_size 300k
[OUTPUT]
    name null
    alias here
    match other
"""


def post(port, first):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    c.request("POST", "/web", json.dumps([{"id": first + i, "pad": PAD} for i in range(BATCH)]),
              {"Content-Type": "application/json"})
    r = c.getresponse()
    r.read()
    c.close()
    return r.status, r.getheader("Retry-After")


def main():
    port, sink = free_port(), free_port()
    agent = Agent(conf(port, sink), "scheduler.cap 1\nscheduler.base 100ms")
    agent.start()
    taken, status = 0, 201
    while status // 100 == 2 and taken < 50 * BATCH:
        status, retry = post(port, taken)
        taken += BATCH if status // 100 == 2 else 0
    check(status == 429 and retry, f"429 with Retry-After expected, not {status}, after {taken}")
    before = agent.ledger()["outputs"]["here"]["delivered"]
    time.sleep(0.6)
    check(agent.ledger()["outputs"]["here"]["delivered"] > before, "the other input stands still too")
    check(post(port, taken)[0] == 429, "it takes again though nothing was delivered")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", sink), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    until(lambda: post(port, taken)[0] // 100 == 2, 20, "the input takes again")
    taken += BATCH
    until(lambda: len(Sink.count) == taken, 20, f"{taken} events arrive")
    check(all(n == 1 for n in Sink.count.values()), "some came twice")
    agent.balanced_ledger()
    agent.stop()
    server.shutdown()
    print(f"{taken} events, refused at the limit of one output, the other went on; all once")


main()
