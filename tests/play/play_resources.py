# SPDX-License-Identifier: Apache-2.0
"""What an idle agent with the default configuration costs, and how soon it takes events: memory, processor time, and the
time from exec to the first accepted POST on a store that exists.  Measured on the release build only."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from weir import SOURCE, binary, check, free_port

RSS_KB, START_MS, IDLE_MS = 8 * 1024, 20, 1.0
STARTS = 60  # at most: other work on the machine can only add to the best
EVENTS = 2000  # on the store before the start is measured


def release():
    """The release binary: the one under test if it is one, else the one beside it."""
    for path in (os.environ.get("WEIR_RELEASE"), binary(), os.path.join(SOURCE, "build/release/weir")):
        if path and os.access(path, os.X_OK):
            with open(path, "rb") as f:
                data = f.read()
            if b"__asan_" not in data and b"__tsan_" not in data and b"__gcov_" not in data:
                return path
    print("left out: there is no release build, and sanitizers have their own cost")
    sys.exit(0)


def configuration(folder, port):
    with open(os.path.join(SOURCE, "conf/weir.conf"), encoding="utf-8") as f:
        text = f.read()
    for old, new in (("port            9880", "port %d" % port), ("http_port       2020", "http_port %d" % free_port()),
                     ("parsers.conf", os.path.join(SOURCE, "conf/parsers.conf")), ("../lua/rules", os.path.join(SOURCE, "lua/rules"))):
        check(old in text, "conf/weir.conf has no `%s`" % old)
        text = text.replace(old, new)
    path = os.path.join(folder, "weir.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def request(n):
    body = (b'{"event_id":"r%d-%d","event_type":"sketch:viewed","timestamp":"2026-01-01T00:00:00Z","session_id":"s","user_id":"u",'
            b'"sketch_id":"k","properties":{},"metadata":{}}') % (os.getpid(), n)
    return b"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def connect(port):
    while True:
        s = socket.socket()
        try:
            s.connect(("127.0.0.1", port))
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return s
        except ConnectionRefusedError:
            s.close()
            time.sleep(0.0002)  # the agent may need this processor


def start(weir, conf, env, port, n):
    """Milliseconds from the start of the process to the answer of the first POST."""
    log = open(os.path.join(os.path.dirname(conf), "log"), "ab")
    began = time.perf_counter()
    p = subprocess.Popen([weir, "-c", conf], env=env, stdout=log, stderr=log)
    with connect(port) as s:
        s.sendall(request(n))
        answer = s.recv(4096)
    took = (time.perf_counter() - began) * 1000
    log.close()
    check(answer.startswith(b"HTTP/1.1 200") and b'"accepted":1' in answer, "the first POST: %r" % answer)
    return p, took


def processor_ns(pid):
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, task), encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total


def rss_kb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def main():
    weir = release()
    folder = tempfile.mkdtemp(prefix="weir-play-")
    port = free_port()
    conf = configuration(folder, port)
    env = dict(os.environ, WEIR_DATA=folder)
    p = None
    try:
        p, first = start(weir, conf, env, port, 0)
        with connect(port) as s:
            for n in range(1, EVENTS):
                s.sendall(request(n))
                check(s.recv(4096).startswith(b"HTTP/1.1 200"), "POST %d" % n)
        p.terminate()
        check(p.wait(20) == 0, "exit status")
        starts = []
        for n in range(STARTS):
            p, took = start(weir, conf, env, port, EVENTS + n)
            starts.append(took)
            p.kill() if n % 2 else p.terminate()
            p.wait(20)
            if n > 6 and min(starts) < START_MS:
                break
        p = subprocess.Popen([weir, "-c", conf], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        connect(port).close()
        time.sleep(1.5)  # what is left of the start: a cursor to save
        rss, before = rss_kb(p.pid), processor_ns(p.pid)
        time.sleep(5)
        idle = (processor_ns(p.pid) - before) / 1e6 / 5
        rss = max(rss, rss_kb(p.pid))
        p.terminate()
        check(p.wait(20) == 0, "exit status")
    finally:
        if p and p.poll() is None:
            p.kill()
            p.wait()
        shutil.rmtree(folder, ignore_errors=True)
    print("idle: %.1f MB resident, %.3f ms of processor a second; start to first accepted POST: best %.1f ms, median %.1f ms (new store %.1f ms)"
          % (rss / 1024, idle, min(starts), sorted(starts)[len(starts) // 2], first))
    check(rss < RSS_KB, "resident: %d kB, the limit is %d" % (rss, RSS_KB))
    check(idle < IDLE_MS, "idle: %.3f ms a second, the limit is %.1f" % (idle, IDLE_MS))
    busy = max(1.0, os.getloadavg()[0] / os.cpu_count())  # others wait for the processors too
    check(min(starts) < START_MS * busy, "start: %.1f ms at best, the limit is %.0f" % (min(starts), START_MS * busy))


main()
