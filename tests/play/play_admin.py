# SPDX-License-Identifier: Apache-2.0
"""The admin port: Fluent Bit's pages in Fluent Bit's shapes, the Prometheus text format line by line, health that turns
bad and good again, the ledger, and no other host can reach it."""

import http.client
import http.server
import json
import os
import re
import socket
import threading

from weir import Agent, check, free_port, until

CONF = """
[INPUT]
    name tail
    path {dir}/a.log
    tag app
    read_from_head on
[INPUT]
    name http
    alias we"b
    listen 127.0.0.1
    port {port}
    tag web
[FILTER]
    name grep
    match app
    exclude log drop
[OUTPUT]
    name stdout
    match app
[OUTPUT]
    name http
    alias sink
    match web
    host 127.0.0.1
    port SINK
"""
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{(%s(,%s)*,?)?\})? [-+]?([0-9.eE+-]+|Inf|NaN)( [0-9]+)?' % (LABEL, LABEL))


class Sink(http.server.BaseHTTPRequestHandler):
    status = 500

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(Sink.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def ask(agent, path, method="GET", body=None):
    c = http.client.HTTPConnection("127.0.0.1", agent.admin, timeout=10)
    c.request(method, path, body)
    r = c.getresponse()
    text = r.read().decode()
    c.close()
    return r.status, text, r.headers


def get(agent, path):
    status, text, headers = ask(agent, path)
    check(status == 200, "%s: %d %s" % (path, status, text))
    return text, headers


def v1(agent):
    m = json.loads(get(agent, "/api/v1/metrics")[0])
    check(set(m) == {"input", "filter", "output"}, "groups: %s" % m)
    check(set(m["input"]) == {"tail.0", 'we"b'} and set(m["output"]) == {"stdout.0", "sink"} and set(m["filter"]) == {"grep.0"}, str(m))
    for name in m["input"]:
        check(set(m["input"][name]) == {"records", "bytes"}, str(m))
    check(set(m["filter"]["grep.0"]) == {"records", "drop_records"}, str(m))
    for name in m["output"]:
        check(set(m["output"][name]) == {"proc_records", "proc_bytes", "errors", "retries", "retries_failed", "dropped_records",
                                         "retried_records"}, str(m))
    return m


def prometheus(text, stamped):
    """Every line is a comment or a sample; families stand together, under one HELP and TYPE."""
    check(text.endswith("\n"), "no newline at the end")
    families, types = [], {}
    for line in text.splitlines():
        if line.startswith("#"):
            m = re.fullmatch(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)", line)
            check(m, "comment: " + line)
            if m[1] == "TYPE":
                check(m[3] in ("counter", "gauge", "histogram", "summary", "untyped"), line)
                check(m[2] not in types, "two TYPEs of " + m[2])
                types[m[2]] = m[3]
            continue
        check(SAMPLE.fullmatch(line), "sample: " + line)
        name = re.split(r"[{ ]", line)[0]
        check(bool(re.search(r" [0-9]{13}$", line)) == stamped, "time stamp: " + line)
        if not families or families[-1] != name:
            check(name not in families, "family %s is torn apart" % name)
            families.append(name)
        if not stamped:
            check(name in types, "no TYPE for " + name)
    check(len(set(families)) > 8, "families: %s" % families)


def main():
    sink_port = free_port()
    agent = Agent(CONF.replace("SINK", str(sink_port)),
                  "health_check on\nhc_errors_count 2\nhc_retry_failure_count 2\nhc_period 2\nscheduler.base 50ms\nscheduler.cap 200ms")
    with open(os.path.join(agent.dir, "a.log"), "w", encoding="utf-8") as f:
        f.write("one\ntwo\ndrop\n")
    agent.start()
    uptime = json.loads(get(agent, "/api/v1/uptime")[0])
    check(isinstance(uptime["uptime_sec"], int) and "second" in uptime["uptime_hr"], str(uptime))
    check("version" in json.loads(get(agent, "/")[0])["weir"], "the root page")
    until(lambda: v1(agent)["output"]["stdout.0"]["proc_records"] == 2, 10, "the lines: %s" % v1(agent))
    m = v1(agent)
    check(m["input"]["tail.0"]["records"] == 3 and m["input"]["tail.0"]["bytes"] > 10, str(m))
    check(m["filter"]["grep.0"] == {"records": 3, "drop_records": 1}, str(m))
    check(m["output"]["stdout.0"]["errors"] == 0 and m["output"]["stdout.0"]["proc_bytes"] > 0, str(m))

    # health: good, then an output that fails, then good again
    check(get(agent, "/api/v1/health")[0] == "ok\n", "healthy at first")
    status, text, _ = agent.post("/", '{"a":1}')
    check(status == 201, text)
    until(lambda: ask(agent, "/api/v1/health")[0] == 500, 10, "bad health: %s" % v1(agent))
    check(ask(agent, "/api/v1/health")[1] == "error\n", "the text of bad health")
    out = v1(agent)["output"]["sink"]
    check(out["errors"] > 2 and out["retries"] > 2 and out["retried_records"] > 2 and out["proc_records"] == 0, str(out))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", sink_port), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Sink.status = 200
    until(lambda: v1(agent)["output"]["sink"]["proc_records"] == 1, 10, "delivery")
    until(lambda: ask(agent, "/api/v1/health")[0] == 200, 15, "health to return: %s" % v1(agent))

    text, headers = get(agent, "/api/v1/metrics/prometheus")
    check(headers["Content-Type"].startswith("text/plain; version=0.0.4"), str(headers))
    check('fluentbit_output_proc_records_total{name="sink"} 1 ' in text and 'name="we\\"b"' in text, text)
    prometheus(text, True)
    text, headers = get(agent, "/api/v2/metrics/prometheus")
    check(headers["Content-Type"].startswith("text/plain; version=0.0.4"), str(headers))
    check('fluentbit_input_records_total{name="tail.0"} 3\n' in text and "fluentbit_uptime" in text and "weir_log_bytes " in text, text)
    prometheus(text, False)
    text, headers = get(agent, "/api/v2/metrics")
    for line in text.splitlines():
        check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z \S+ = -?\d+", line) or "{" in line, line)
    check('fluentbit_input_records_total{name="tail.0"} = 3\n' in text, text)

    ledger = agent.balanced_ledger()
    check(ledger["in"] == 4 and ledger["filtered"] == 1 and ledger["outputs"]["sink"]["delivered"] == 1, str(ledger))
    check("balanced\n" in get(agent, "/ledger.txt")[0], "the ledger as text")

    status, text, headers = ask(agent, "/api/v3/nothing")
    check(status == 404 and "error" in json.loads(text), text)
    for method in ("POST", "PUT", "DELETE"):
        status, text, headers = ask(agent, "/ledger", method, "x")
        check(status == 405 and headers["Allow"], "%s: %d, Allow: %s" % (method, status, headers["Allow"]))
    status, text, headers = ask(agent, "/ledger", "HEAD")
    check(status == 200 and text == "" and int(headers["Content-Length"]) > 50, "HEAD: %d %s" % (status, headers))
    # what changes something is on the control socket alone, which is its owner's
    status, _, _ = ask(agent, "/quarantine/replay", "POST", "")
    check(status == 404, "replay over TCP: %d" % status)
    mode = os.stat(os.path.join(agent.dir, "state", "control")).st_mode & 0o777
    check(mode == 0o600, "the control socket's mode is %o" % mode)

    # loopback only
    local = os.popen("hostname -I 2>/dev/null").read().split()
    for address in [a for a in local if ":" not in a][:1]:
        with socket.socket() as s:
            s.settimeout(2)
            check(s.connect_ex((address, agent.admin)) != 0, "the admin port answers on " + address)
    with open("/proc/net/tcp", encoding="ascii") as f:
        listens = [line.split()[1] for line in f if line.split()[3] == "0A" and line.split()[1].endswith(":%04X" % agent.admin)]
    check(listens == ["0100007F:%04X" % agent.admin], "the admin port listens on %s" % listens)
    agent.stop()
    server.shutdown()
    check("from other hosts" not in agent.log_text(), "a warning of a port on loopback")
    open_port = Agent("[INPUT]\n    name dummy\n[OUTPUT]\n    name null\n    match *\n", "http_listen 0.0.0.0").start()
    check("admin port can be reached from other hosts" in open_port.log_text(), "no warning: " + open_port.log_text())
    open_port.stop()
    print("admin pages, metrics, health and ledger are as they should be")


main()
