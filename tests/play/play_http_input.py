# SPDX-License-Identifier: Apache-2.0
"""The http input through the whole agent: Fluent Bit's behaviour on any path, a verdict per event on /v1/events,
duplicates across a restart, and what is refused with which words."""

import gzip
import json
import os
import shutil
import socket
import subprocess
import urllib.parse
import zlib

from weir import Agent, check, free_port, until

CONF = """
[INPUT]
    name http
    listen 127.0.0.1
    port {port}
    tag own
    success_header X-Weir yes
    buffer_max_size 1M
    max_events_per_request 2000
[INPUT]
    name http
    listen 127.0.0.1
    port TAGGED
    tag other
    tag_key $meta['kind']
    add_remote_addr on
    trusted_proxies 127.0.0.0/8
    successful_response_code 200
    events_uri off
    enable_health_endpoint on
[FILTER]
    name lua
    match *
    code function f(tag, ts, r) if r.bad then error("x") end if r.skip then return -1 end return 0 end
    call f
[OUTPUT]
    name file
    match *
    path {dir}/out
    format plain
    mkdir on
"""
JSON = {"Content-Type": "application/json"}


class Play:
    def __init__(self):
        self.tagged = free_port()
        self.agent = Agent(CONF.replace("TAGGED", str(self.tagged))).start()
        self.seen = {}

    def send(self, path, body, headers=None, port=None, status=201):
        code, text, got = self.agent.post(path, body, JSON if headers is None else headers, port)
        check(code == status, "%s %s %s: %d %s" % (path, headers, body[:80], code, text[:300]))
        return text, got

    def new(self, tag, n):
        """The next n records with that tag, once they are delivered."""
        path = os.path.join(self.agent.dir, "out", tag)

        def lines():
            try:
                with open(path, encoding="utf-8") as f:
                    return f.read().splitlines()
            except OSError:
                return []

        before = self.seen.get(tag, 0)
        until(lambda: len(lines()) >= before + n, 10, "%d records with tag %s in %s: %s" % (n, tag, os.listdir(self.agent.dir), self.agent.log_text()[-500:]))
        records = [json.loads(line) for line in lines()[before:]]
        check(len(records) == n, "%s: %d records, not %d: %s" % (tag, len(records), n, records))
        self.seen[tag] = before + n
        return records


def plain(p):
    text, headers = p.send("/app.log", '{"a":1}')
    check(text == "" and headers["X-Weir"] == "yes" and headers["Content-Length"] == "0", "answer: %s %s" % (text, headers))
    check(p.new("app.log", 1) == [{"a": 1}], "an object")
    p.send("/", '[{"a":1},{"a":2}]')
    check(p.new("own", 2) == [{"a": 1}, {"a": 2}], "an array, the input's own tag")
    p.send("/a/b-c.d?x=1", '{"a":1}{"a":2}\n {"a":3}')
    check(p.new("a_b_c.d", 3) == [{"a": 1}, {"a": 2}, {"a": 3}], "several one after the other")
    p.send("/l", '{"a":1}\n{"a":2}\nnonsense\n\n{"a":3}', {"Content-Type": "application/x-ndjson"})
    check(p.new("l", 3) == [{"a": 1}, {"a": 2}, {"a": 3}], "lines")
    p.send("/f", "a=1&b=x+y%26z&a=2&c=", {"Content-Type": "application/x-www-form-urlencoded"})
    check(p.new("f", 1) == [{"a": "2", "b": "x y&z", "c": ""}], "a form")
    p.send("/u", '{"a":"gr\\u00fc\\u00df","b":1e2,"c":18446744073709551615,"d":-0.5}', {"Content-Type": "application/json; charset=utf-8"})
    check(p.new("u", 1) == [{"a": "gr\u00fc\u00df", "b": 100.0, "c": 18446744073709551615, "d": -0.5}], "values")
    p.send("/m", '[{"a":1}, 5, {"a":2}]')
    check(p.new("m", 2) == [{"a": 1}, {"a": 2}], "around an element that is no object")
    body = json.dumps([{"n": n, "pad": "y" * 50} for n in range(500)]).encode()
    packed = [("gzip", gzip.compress(body)), ("deflate", zlib.compress(body))]
    if shutil.which("zstd"):
        packed.append(("zstd", subprocess.run(["zstd", "-qc"], input=body, capture_output=True, check=True).stdout))
    for name, data in packed:
        p.send("/z", data, dict(JSON, **{"Content-Encoding": name}))
        check([r["n"] for r in p.new("z", 500)] == list(range(500)), name)
    # an Idempotency-Key makes a repeated request known
    for _ in range(2):
        p.send("/k", '[{"a":1},{"a":2}]', dict(JSON, **{"Idempotency-Key": "req-1"}))
    check(p.new("k", 2) == [{"a": 1}, {"a": 2}], "with a key")
    print("plain: tags, arrays, concatenated, lines, forms, %s" % ", ".join(n for n, _ in packed))


def tagged(p):
    text, headers = p.send("/x", '[{"meta":{"kind":"k1"}},{"meta":{"kind":7}},{"a":1}]', port=p.tagged, status=200)
    check(p.new("k1", 1) == [{"meta": {"kind": "k1"}, "REMOTE_ADDR": "127.0.0.1"}], "tag_key and the address")
    check(len(p.new("x", 2)) == 2, "without the key the path is the tag")
    p.send("/y", '{"a":1}', dict(JSON, **{"X-Forwarded-For": "203.0.113.9, 10.1.1.1"}), p.tagged, 200)
    check(p.new("y", 1) == [{"a": 1, "REMOTE_ADDR": "10.1.1.1"}], "behind one trusted proxy")
    p.send("/v1/events", '{"events":[{"a":1}]}', port=p.tagged, status=200)
    check(p.new("v1_events", 1)[0]["events"] == [{"a": 1}], "events_uri off")
    with socket.create_connection(("127.0.0.1", p.tagged), timeout=5) as s:
        s.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        check(s.recv(4096).startswith(b"HTTP/1.1 200"), "the health endpoint")
    print("tag_key, remote address behind proxies, health")


def events(p):
    def post(body, headers=None, query=""):
        text, got = p.send("/v1/events" + query, json.dumps(body), headers or JSON, status=200)
        check(got["Content-Type"] == "application/json" and got["X-Weir"] == "yes", str(got))
        return json.loads(text)

    good = {"event_id": "g1", "n": 1}
    r = post({"sent_at": "now", "events": [good, {"event_id": "s1", "skip": True}, {"event_id": "b1", "bad": 1}, good, {"n": 2}]})
    check((r["accepted"], r["duplicate"], r["filtered"], r["quarantined"], r["dropped"]) == (2, 1, 1, 1, 0), str(r))
    by = {e["index"]: e for e in r["results"]}
    check(set(by) == {1, 2, 3}, str(r))
    check((by[1]["event_id"], by[1]["status"]) == ("s1", "filtered"), str(r))
    check((by[2]["event_id"], by[2]["status"]) == ("b1", "quarantined") and by[2]["reason"].startswith("Lua-Error"), str(r))
    check((by[3]["event_id"], by[3]["status"]) == ("g1", "duplicate"), str(r))
    check(len(p.new("own", 2)) == 2, "two in the file")
    r = post([good], query="?verbose=1")
    check(r["results"] == [{"event_id": "g1", "index": 0, "status": "duplicate"}], str(r))
    r = post(dict(good, n=99))
    check(r["quarantined"] == 1 and r["results"][0]["reason"].startswith("Id-Conflict"), "another body under a known id: %s" % r)
    r = post([{"event_id": 5}, {"event_id": ""}, {"event_id": "x" * 65}, 7, {"event_id": "x" * 64}])
    check((r["accepted"], r["quarantined"]) == (1, 4) and all(e["reason"] for e in r["results"]), str(r))
    p.new("own", 1)
    key = dict(JSON, **{"Idempotency-Key": "k-77"})
    check(post([{"n": 1}, {"n": 2}], key)["accepted"] == 2, "with a key")
    check(post([{"n": 1}, {"n": 2}], key)["duplicate"] == 2, "with the same key")
    p.new("own", 2)
    text, _ = p.send("/v1/events", '{"event_id":"n1"}\nnot json\n{"event_id":"n2"}\n', {"Content-Type": "application/x-ndjson"}, status=200)
    r = json.loads(text)
    check((r["accepted"], r["quarantined"]) == (2, 1), str(r))
    p.new("own", 2)
    check(post([])["accepted"] == 0, "an empty array")
    # across a restart and a kill
    p.agent.stop()
    p.agent.start()
    check(post([good])["duplicate"] == 1, "after a restart")
    check(post([{"event_id": "g2"}])["accepted"] == 1, "a new one")
    p.agent.kill()
    p.agent.start()
    r = post([good, {"event_id": "g2"}, {"event_id": "g3"}])
    check((r["accepted"], r["duplicate"]) == (1, 2), "after a kill: %s" % r)
    check(post([{"n": 1}, {"n": 2}], key)["duplicate"] == 2, "the key after a kill")
    check({e["event_id"] for e in p.new("own", 2)} == {"g2", "g3"}, "what came")
    print("events: a verdict each; duplicates, conflicts and keys, also over a restart and a kill")


def raw(p, data, port=None):
    with socket.create_connection(("127.0.0.1", port or p.agent.port), timeout=10) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        out = b""
        while True:
            part = s.recv(65536)
            if not part:
                return out.decode()
            out += part


def connections(p):
    one = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n"
    with socket.create_connection(("127.0.0.1", p.agent.port), timeout=10) as s:
        for n in range(3):  # keep-alive
            s.sendall(one + b'{"n":%d}' % n)
            check(s.recv(4096).startswith(b"HTTP/1.1 201"), "request %d on one connection" % n)
    out = raw(p, b"".join(one + b'{"n":%d}' % (n % 10) for n in range(50)))  # pipelined
    check(out.count("HTTP/1.1 201") == 50, "%d answers to 50 pipelined requests" % out.count("HTTP/1.1 201"))
    check([r["n"] for r in p.new("p", 53)] == [0, 1, 2] + [n % 10 for n in range(50)], "the order")
    out = raw(p, b"POST /c HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                 b"3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\n\r\n")
    check(out.startswith("HTTP/1.1 201"), out)
    check(p.new("c", 1) == [{"a": 1}], "a chunked body")
    out = raw(p, b"POST /o HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
    check(" 201 " in out.split("\r\n")[0] and p.new("o", 1) == [{"a": 1}], "HTTP/1.0: " + out)
    out = raw(p, b"POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
    check("HTTP/1.1 201" in out, "Expect: " + out)
    p.new("e", 1)
    print("keep-alive, pipelining in order, chunked, HTTP/1.0, Expect")


def refusals(p):
    before = p.agent.ledger()["in"]

    def refused(path, body, headers, status, *words):
        text, _ = p.send(path, body, headers, status=status)
        error = json.loads(text)["error"]
        for word in words:
            check(word in error, "`%s` is not in the answer %s" % (word, error))

    refused("/x", "{", JSON, 400, "no JSON")
    refused("/x", '{"a":1} trailing', JSON, 400, "no JSON")
    refused("/x", "", JSON, 400, "empty")
    refused("/v1/events", '[{"a":1},]', JSON, 400, "no JSON")
    refused("/v1/events", '{"events":5}', JSON, 400, "`events` must be an array")
    refused("/x", "{}", {"X-Other": "1"}, 400, "Content-Type")
    refused("/x", "{}", {"Content-Type": "text/csv"}, 415, "application/json")
    refused("/x", "{}", dict(JSON, **{"Content-Encoding": "br"}), 415)
    refused("/x", b"\x1f\x8bnonsense", dict(JSON, **{"Content-Encoding": "gzip"}), 400)
    refused("/x", gzip.compress(b'{"a":1}')[:-4], dict(JSON, **{"Content-Encoding": "gzip"}), 400)
    refused("/x", "[" + "{}," * 2000 + "{}]", JSON, 413, "2000 events")
    refused("/x", gzip.compress(b" " * 40_000_000 + b"{}"), dict(JSON, **{"Content-Encoding": "gzip"}), 413)
    refused("/x", '{"a":' + "[" * 5000 + "]" * 5000 + "}", JSON, 400)
    refused("/x", "{}", dict(JSON, **{"Idempotency-Key": "k" * 256}), 400, "255")
    # too large is said from the head alone
    with socket.create_connection(("127.0.0.1", p.agent.port), timeout=5) as s:
        s.sendall(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2000000\r\n\r\n")
        check(s.recv(4096).startswith(b"HTTP/1.1 413"), "a body beyond buffer_max_size")
    out = raw(p, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
    check(out.startswith("HTTP/1.1 405") and "\r\nAllow: POST" in out, out)
    for bad in (b"POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",  # no Host
                b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
                b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n{}",
                b"POST /../x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
                b"POST /x HTTP/1.1\nHost: a\nContent-Length: 2\n\n{}",
                b"nonsense\r\n\r\n"):
        out = raw(p, bad + b"POST /smuggled HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        check(out.startswith("HTTP/1.1 400") and out.count("HTTP/1.1") == 1, "%r was answered %r" % (bad, out[:300]))
    out = raw(p, b"POST /x HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000 + b"\r\n\r\n")
    check(out.split()[1] in ("400", "431"), "a head beyond the limit: " + out[:200])
    out = raw(p, b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{}")
    check("201" not in out, "a body cut short was taken: " + out)
    check(p.agent.ledger()["in"] == before, "something of what was refused was taken")
    check(not os.path.exists(os.path.join(p.agent.dir, "out", "smuggled")), "a smuggled request was taken")
    print("refusals: 400, 405, 413, 415 with words, and nothing taken")


def main():
    p = Play()
    plain(p)
    tagged(p)
    events(p)
    connections(p)
    refusals(p)
    p.agent.balanced_ledger()
    p.agent.stop()


main()
