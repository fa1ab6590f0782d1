# SPDX-License-Identifier: Apache-2.0
"""The http output against a scripted server: formats and headers, one key per delivery over retries and kill -9, what
each answer leads to, one poison event among a thousand, and a dead output that delays no other."""

import gzip
import http.server
import json
import os
import socket
import struct
import sys
import threading
import time

from weir import Agent, check, free_port, until

INPUT = """
[INPUT]
    name http
    listen 127.0.0.1
    port {port}
    tag web
"""
OUTPUT = """
[OUTPUT]
    name http
    match *
    host 127.0.0.1
    port {sink}
    format json_lines
    json_date_key false
"""
QUICK = "scheduler.base 50ms\nscheduler.cap 300ms"


class Server:
    """answer(request number, headers, body) -> (status, headers, body), or "reset", "half" (resets in the middle of the answer),
    "lost" (takes the events and closes without an answer).  Events are counted once for each Idempotency-Key."""

    def __init__(self, answer=None, port=None):
        outer = self
        self.answer = answer or (lambda n, headers, body: (200, {}, b""))
        self.requests, self.keys, self.count, self.lock = [], {}, {}, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    n = len(outer.requests)
                    outer.requests.append((time.monotonic(), self.command, self.path, dict(self.headers.items()), body))
                what = outer.answer(n, self.headers, body)
                if what == "reset":
                    return self.cut()
                if what in ("half", "lost") or what[0] // 100 == 2:
                    outer.take(self.headers, body)
                if what == "lost":
                    self.close_connection = True
                    return None
                if what == "half":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
                    return self.cut()
                status, headers, text = what
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                return None

            do_PUT = do_POST

            def cut(self):
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

            def finish(self):
                try:
                    super().finish()
                except (OSError, ValueError):
                    pass

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
                    super().handle_error(*_)

        self.server = Quiet(("127.0.0.1", port or 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, headers, body):
        with self.lock:
            key = headers["Idempotency-Key"]
            check(key, "a delivery without a key")
            if key in self.keys:
                if self.keys[key] != body:
                    print("FAILED: key %s came with two bodies" % key, file=sys.stderr)
                    os._exit(1)
                return
            self.keys[key] = body
            for line in body.splitlines():
                n = json.loads(line)["n"]
                self.count[n] = self.count.get(n, 0) + 1

    def once(self, wanted, what):
        wanted = set(wanted)
        missing, more = wanted - set(self.count), set(self.count) - wanted
        twice = [n for n, c in self.count.items() if c > 1]
        check(not missing and not twice and not more, "%s: missing %s, twice %s, too many %s" % (what, sorted(missing)[:3], twice[:3], sorted(more)[:3]))

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def agent_for(server, extra="", service=QUICK, output=OUTPUT):
    port = server.port if isinstance(server, Server) else server
    return Agent(INPUT + output.replace("{sink}", str(port)) + extra, service)


def post(agent, numbers, **fields):
    events = [dict(event_id="e%d" % n, n=n, **fields) for n in numbers]
    status, text, _ = agent.post("/v1/events", json.dumps(events))
    check(status == 200 and json.loads(text)["accepted"] == len(events), text[:300])


def settled(agent, output="http.0"):
    until(lambda: agent.ledger()["outputs"][output]["pending"] == 0, 30, "delivery: %s\n%s" % (agent.get("/ledger"), agent.log_text()))
    return agent.balanced_ledger()["outputs"][output]


# ---- msgpack, as much of it as the test needs ----

def unpack(data, at=0):
    b = data[at]
    if b <= 0x7F:
        return b, at + 1
    if b >= 0xE0:
        return b - 256, at + 1
    if 0x80 <= b <= 0x8F or b in (0xDE, 0xDF):
        n, at = (b & 15, at + 1) if b < 0x90 else (struct.unpack_from(">H" if b == 0xDE else ">I", data, at + 1)[0], at + (3 if b == 0xDE else 5))
        out = {}
        for _ in range(n):
            k, at = unpack(data, at)
            out[k], at = unpack(data, at)
        return out, at
    if 0x90 <= b <= 0x9F:
        out, at = [], at + 1
        for _ in range(b & 15):
            v, at = unpack(data, at)
            out.append(v)
        return out, at
    if 0xA0 <= b <= 0xBF:
        n = b & 31
        return data[at + 1:at + 1 + n].decode(), at + 1 + n
    if b == 0xD9:
        n = data[at + 1]
        return data[at + 2:at + 2 + n].decode(), at + 2 + n
    if b == 0xD7:  # fixext 8: event time
        s, ns = struct.unpack_from(">II", data, at + 2)
        check(data[at + 1] == 0, "ext type %d" % data[at + 1])
        return s + ns / 1e9, at + 10
    sizes = {0xC0: (None, 0), 0xC2: (False, 0), 0xC3: (True, 0)}
    if b in sizes:
        return sizes[b][0], at + 1
    forms = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
    return struct.unpack_from(forms[b], data, at + 1)[0], at + 1 + struct.calcsize(forms[b])


def formats():
    server = Server()
    server.take = lambda headers, body: None
    cases = ["format json", "format json_lines", "format json_stream", "format msgpack", "format json\n    compress gzip",
             "format json\n    json_date_key false\n    header X-Key abc def\n    header X-Other 1\n    header_tag X-Tag\n    uri /in/put\n"
             "    http_method PUT\n    http_user me\n    http_passwd secret"]
    agent = Agent(INPUT + "".join("[OUTPUT]\n    name http\n    match *\n    host 127.0.0.1\n    port %d\n    uri /%d\n    %s\n"
                                  % (server.port, i, c) for i, c in enumerate(cases)), QUICK).start()
    before = time.time()
    post(agent, [1, 2], text="gr\u00fc\u00df\n\"x\"", x=1.5, y=None, z=[True, {}])
    for i in range(len(cases)):
        settled(agent, "http.%d" % i)
    got = {r[2]: r for r in server.requests}
    expect = [{"event_id": "e%d" % n, "n": n, "text": "gr\u00fc\u00df\n\"x\"", "x": 1.5, "y": None, "z": [True, {}]} for n in (1, 2)]

    def dated(records):
        for r in records:
            check(list(r)[0] == "date" and before - 1 < r.pop("date") < time.time() + 1, "date of %s" % r)
        check(records == expect, "records: %s" % records)

    def of(path, kind):
        _, method, _, headers, body = got[path]
        check(headers["Content-Type"] == kind, "%s: %s" % (path, headers))
        check(method == "POST" or path == "/in/put", method)
        check(headers["Idempotency-Key"] and headers["Host"].startswith("127.0.0.1:"), str(headers))
        return headers, body

    dated(json.loads(of("/0", "application/json")[1]))
    body = of("/1", "application/x-ndjson")[1]
    check(body.endswith(b"\n") and body.count(b"\n") == 2, str(body))
    dated([json.loads(line) for line in body.splitlines()])
    body = of("/2", "application/json")[1].decode()
    first, end = json.JSONDecoder().raw_decode(body)
    dated([first, json.loads(body[end:])])
    body, at, records = of("/3", "application/msgpack")[1], 0, []
    while at < len(body):
        ((when, meta), record), at = unpack(body, at)
        check(meta == {} and before - 1 < when < time.time() + 1, "%s %s" % (when, meta))
        records.append(record)
    check(records == expect, "msgpack: %s" % records)
    headers, body = of("/4", "application/json")
    check(headers["Content-Encoding"] == "gzip", str(headers))
    dated(json.loads(gzip.decompress(body)))
    headers, body = of("/in/put", "application/json")
    check(got["/in/put"][1] == "PUT" and headers["X-Key"] == "abc def" and headers["X-Other"] == "1" and headers["X-Tag"] == "web"
          and headers["Authorization"] == "Basic bWU6c2VjcmV0", "%s %s" % (got["/in/put"][1], headers))
    check(json.loads(body) == expect, "without a date: %s" % body)
    check("secret" not in agent.log_text(), "the password is in the log")
    agent.stop()
    server.close()
    print("formats, compression, headers, method and basic authentication")


def answers():
    """Bad answers of every kind, one after the other; every event arrives once."""
    script = [(503, {"Retry-After": "1"}, b""), (500, {}, b"oops"), "reset", "half", "lost", (429, {}, b""), (408, {}, b""), "lost", "half"]
    server = Server(lambda n, headers, body: script[n] if n < len(script) else (200, {}, b""))
    agent = agent_for(server).start()
    post(agent, range(100))
    out = settled(agent)
    check(out["delivered"] == 100, str(out))
    server.once(range(100), "after %d bad answers" % len(script))
    keys = {r[3]["Idempotency-Key"] for r in server.requests}
    check(len(keys) == 1 and len(server.requests) == len(script) + 1, "%d requests, %d keys" % (len(server.requests), len(keys)))
    check(len({r[4] for r in server.requests}) == 1, "the body changed over the retries")
    wait = server.requests[1][0] - server.requests[0][0]
    check(wait >= 0.99, "Retry-After 1 was waited for %.2f s" % wait)
    agent.stop()
    server.close()
    print("503 with Retry-After (waited %.2f s), 500, 429, 408, resets, half answers, lost acknowledgements: all once" % wait)


def killed():
    """The key and the body outlive kill -9: whatever was open is sent again as it was."""
    gate = threading.Event()

    def answer(n, headers, body):
        if gate.is_set():
            return (200, {}, b"")
        return "lost" if n % 2 else (500, {}, b"")

    server = Server(answer)
    agent = agent_for(server).start()
    post(agent, range(300))
    for i in range(3):
        seen = len(server.requests)
        until(lambda: len(server.requests) > seen + 1, 20, "attempts: " + agent.log_text())
        agent.kill()
        agent.start()
        post(agent, range(300 + i * 50, 350 + i * 50))
    gate.set()
    settled(agent)
    server.once(range(450), "over three kills")
    first = server.requests[0]
    same = [r for r in server.requests if r[3]["Idempotency-Key"] == first[3]["Idempotency-Key"]]
    check(len(same) >= 7 and all(r[4] == first[4] for r in same), "%d requests under the first key" % len(same))
    agent.stop()
    server.close()
    print("over 3 kills: %d requests, %d keys, all 450 once" % (len(server.requests), len(server.keys)))


def poison():
    def answer(n, headers, body):
        if b'"poison"' in body:
            return (400, {}, b'{"error":"field kind is not allowed"}')
        return (200, {}, b"")

    server = Server(answer)
    agent = agent_for(server).start()
    events = [dict(event_id="e%d" % n, n=n, kind="poison" if n == 637 else "food") for n in range(1000)]
    status, text, _ = agent.post("/v1/events", json.dumps(events))
    check(status == 200 and json.loads(text)["accepted"] == 1000, text[:300])
    out = settled(agent)
    check((out["delivered"], out["quarantined"]) == (999, 1), str(out))
    server.once(set(range(1000)) - {637}, "around the poison")
    check(len(server.requests) < 40, "%d requests to isolate one event" % len(server.requests))

    def listed():
        return agent.run("quarantine", "ls", "-c", agent.conf)[1]

    until(lambda: listed().count("\n") == 1, 10, "the listing")
    check("Output-Rejected" in listed() and "field kind is not allowed" in listed() and "output/http.0" in listed(), listed())
    server.answer = lambda n, headers, body: (200, {}, b"")  # the server was mended
    code, text, err = agent.run("quarantine", "replay", "-c", agent.conf, "--output", "http.0")
    check(code == 0 and json.loads(text)["replayed"] == 1, text + err)
    settled(agent)
    server.once(range(1000), "after the replay")
    agent.balanced_ledger()
    agent.stop()
    server.close()
    print("1 of 1000 rejected: 999 delivered in %d requests, 1 quarantined with the server's words, and delivered by a replay" % len(server.requests))


def holds():
    server = Server(lambda n, headers, body: (401, {}, b"who are you"))
    agent = agent_for(server, service="scheduler.base 50ms\nscheduler.cap 500ms").start()
    post(agent, range(10))
    until(lambda: len(server.requests) >= 3, 20, "attempts at 401")
    out = agent.balanced_ledger()["outputs"]["http.0"]
    check(out["pending"] == 10 and out["quarantined"] == 0, str(out))
    check("holds" in agent.log_text() and "401" in agent.log_text(), agent.log_text())
    for status in (403, 404, 302):
        seen = len(server.requests)
        server.answer = lambda n, headers, body: (status, {"Location": "http://127.0.0.1:1/"}, b"")
        until(lambda: len(server.requests) > seen + 1, 20, "attempts at %d" % status)
        check(agent.balanced_ledger()["outputs"]["http.0"]["pending"] == 10, "at %d" % status)
    server.answer = lambda n, headers, body: (200, {}, b"")
    settled(agent)
    server.once(range(10), "after mending")
    agent.stop()
    server.close()
    print("401, 403, 404 and 302 hold; delivered once mended")


def limit():
    """retry_limit is a choice to give up: what is given up is in quarantine, not gone."""
    port = free_port()
    agent = agent_for(port, output=OUTPUT + "    retry_limit 2\n").start()
    post(agent, range(20))
    out = settled(agent)
    check(out["quarantined"] == 20 and out["delivered"] == 0, str(out))
    until(lambda: agent.run("quarantine", "ls", "-c", agent.conf)[1].count("Retry-Limit") == 20, 10, "20 entries")
    m = json.loads(agent.get("/api/v1/metrics"))["output"]["http.0"]
    check((m["retries"], m["retries_failed"], m["errors"]) == (2, 1, 3), "metrics: %s" % m)
    server = Server(port=port)
    code, text, err = agent.run("quarantine", "replay", "-c", agent.conf, "--reason", "Retry-Limit")
    check(code == 0 and json.loads(text)["replayed"] == 20, text + err)
    settled(agent)
    server.once(range(20), "the replay of what was given up")
    agent.balanced_ledger()
    agent.stop()
    server.close()
    print("retry_limit 2: 20 quarantined, replayed, delivered once")


def apart():
    """One output is dead, another is slow: the file output does not notice."""
    slow = Server(lambda n, headers, body: (time.sleep(3), (200, {}, b""))[1])
    agent = agent_for(free_port(), "[OUTPUT]\n    name http\n    match *\n    host 127.0.0.1\n    port %d\n    format json_lines\n" % slow.port
                      + "[OUTPUT]\n    name file\n    match *\n    path {dir}/out\n    file all\n    format json_lines\n    mkdir on\n").start()
    path, waits = os.path.join(agent.dir, "out", "all"), []
    post(agent, [0])
    until(lambda: os.path.exists(path), 5, "the file")
    with open(path, encoding="utf-8") as f:
        f.read()
        for n in range(1, 100):
            began = time.monotonic()
            post(agent, [n])
            until(lambda: '"n":%d' % n in f.readline(), 5, "event %d in the file" % n)
            waits.append(time.monotonic() - began)
            time.sleep(0.02)
    waits.sort()
    p99 = waits[int(len(waits) * 0.99)]
    check(p99 < 1, "p99 from POST to file is %.3f s beside a dead output" % p99)
    ledger = agent.balanced_ledger()
    check(ledger["outputs"]["http.0"]["pending"] == 100, str(ledger))
    agent.kill()
    slow.close()
    print("beside a dead and a slow output, POST to file: median %.1f ms, p99 %.1f ms" % (waits[len(waits) // 2] * 1000, p99 * 1000))


for play in (formats, answers, killed, poison, holds, limit, apart):
    play()
