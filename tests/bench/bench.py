#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Throughput and cost of whole agents, each figure beside its budget.
usage: bench.py WEIR [--events N] [--case NAME ...] [--instructions] [--latency]

G is the processor time of `gzip -1` over the same file, measured in the same run: a unit that does not depend on the
machine.  Budgets are those of the product; `ok` is within the budget, `2x` within twice of it.  The durable log is on
and fdatasync included in every case.  --latency adds the 99th percentile of single events at a steady rate, with
storage.durability os and disk, and the throughput of tail to file beside what the disk's own fdatasync allows."""

import argparse
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import generate

HERE = os.path.dirname(os.path.abspath(__file__))
TAIL = """
[INPUT]
    name tail
    path {dir}/events.jsonl
    tag app
    parser json
    read_from_head on
    exit_on_eof on
"""
HTTP = """
[INPUT]
    name http
    listen 127.0.0.1
    port {port}
    tag app
"""
NULL = "[OUTPUT]\n    name null\n    match *\n"
FILE = "[OUTPUT]\n    name file\n    match *\n    path {dir}/out\n    file out.jsonl\n    format json_lines\n    mkdir on\n"
CHAIN = """
[FILTER]
    name grep
    match *
    regex event_type :
[FILTER]
    name modify
    match *
    add region eu
    remove sketch_id
[FILTER]
    name nest
    match *
    operation nest
    wildcard session_*
    nest_under session
"""
LUA = """
[FILTER]
    name lua
    match *
    script {here}/privacy.lua
    call privacy
"""
CASES = {  # name: (configuration, wrk script, budget in G)
    "tail_null": (TAIL + NULL, None, 0.16),
    "tail_file": (TAIL + FILE, None, 0.30),
    "tail_chain_file": (TAIL + CHAIN + FILE, None, 0.40),
    "tail_lua_file": (TAIL + LUA + FILE, None, 0.60),
    "http_100_null": (HTTP + NULL, "post_100.lua", 0.20),
    "http_1_null": (HTTP + NULL, "post_1.lua", 1.9),
}


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def gzip_seconds(path):
    before = cpu_of_children()
    subprocess.run(["gzip", "-1c", path], stdout=subprocess.DEVNULL, check=True)
    return cpu_of_children() - before


def disk_bandwidth(folder, total=192 << 20, piece=1 << 20):
    """Bytes per second, each piece synced before the next, in a file that has its blocks: as the log writes."""
    path, block = os.path.join(folder, "disk"), os.urandom(piece)
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    for lap in range(2):
        began = time.time()
        for at in range(0, total, piece):
            os.pwrite(fd, block, at)
            os.fdatasync(fd)
        took = time.time() - began
    os.close(fd)
    os.unlink(path)
    return total / took


def sync_p99(folder, count=2000):
    """Seconds: the 99th percentile of fdatasync after 4 KiB in a file that has its blocks."""
    path, times = os.path.join(folder, "disk"), []
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.pwrite(fd, bytes(count * 4096), 0)
    os.fdatasync(fd)
    for i in range(count):
        os.pwrite(fd, b"x" * 4096, i * 4096)
        began = time.perf_counter()
        os.fdatasync(fd)
        times.append(time.perf_counter() - began)
    os.close(fd)
    os.unlink(path)
    return sorted(times)[count * 99 // 100]


def write_conf(folder, text, port, admin, service=""):
    path = os.path.join(folder, "bench.conf")
    parsers = os.path.join(HERE, "../../conf/parsers.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write("[SERVICE]\n    log_level warn\n    http_port %d\n    storage.path %s/state\n    parsers_file %s\n%s%s" % (
            admin, folder, parsers, service, text.format(dir=folder, port=port, here=HERE)))
    return path


def finish(process):
    """Waits; (processor seconds, peak MB)."""
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit("the agent ended with status %d" % os.waitstatus_to_exitcode(status))
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def run_tail(weir, conf, count):
    began = time.time()
    cpu, peak = finish(subprocess.Popen([weir, "-c", conf]))
    return count, cpu, peak, time.time() - began


def ask(url):
    return urllib.request.urlopen(url, timeout=5).read()


def percentile_99(text):
    """Milliseconds, of what wrk prints."""
    number, unit = re.search(r"99%\s+([0-9.]+)(us|ms|s)\b", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1000}[unit]


def run_http(weir, conf, script, port, admin, seconds):
    process = subprocess.Popen([weir, "-c", conf])
    for _ in range(200):
        try:
            ask("http://127.0.0.1:%d/api/v1/uptime" % admin)
            break
        except OSError:
            time.sleep(0.02)
    began = time.time()
    wrk = subprocess.run(["wrk", "-t1", "-c32", "--latency", "-d%ds" % seconds, "-s", os.path.join(HERE, script),
                          "http://127.0.0.1:%d/app" % port], capture_output=True, text=True, check=True)
    wall = time.time() - began
    if "Non-2xx" in wrk.stdout:
        print(wrk.stdout)
    ledger = json.loads(ask("http://127.0.0.1:%d/ledger" % admin))
    process.send_signal(signal.SIGTERM)
    cpu, peak = finish(process)
    return ledger["in"], cpu, peak, wall, percentile_99(wrk.stdout)


def instructions_per_event(weir, text, events):
    """By callgrind over two sizes, so that the start does not count."""
    totals = []
    for count in (events, 2 * events):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "events.jsonl"), "w", encoding="utf-8") as f:
                f.writelines(generate.lines(count))
            conf = write_conf(folder, text, 0, 0)
            out = os.path.join(folder, "callgrind")
            subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, weir, "-c", conf],
                           capture_output=True, check=True)
            with open(out, encoding="utf-8") as f:
                totals += [int(line.split()[1]) for line in f if line.startswith(("totals:", "summary:"))][:1]
    return (totals[1] - totals[0]) / events


def clear(folder):
    for leaf in ("state", "out"):
        shutil.rmtree(os.path.join(folder, leaf), ignore_errors=True)
    if os.path.exists(os.path.join(folder, "state.quarantine-key")):
        os.unlink(os.path.join(folder, "state.quarantine-key"))


def latencies(weir, folder, port, admin, seconds):
    """Of single events, paced; true: within their bounds."""
    good = True
    for durability in ("os", "disk"):
        clear(folder)
        conf = write_conf(folder, HTTP + NULL, port, admin, "    storage.durability %s\n" % durability)
        bound = 1.0 if durability == "os" else 2e3 * sync_p99(folder) + 1
        count, _, _, wall, p99 = run_http(weir, conf, "post_1_paced.lua", port, admin, seconds)
        good &= p99 <= bound
        print("durability %-4s %7.0f requests/s, p99 %.2f ms, bound %.2f ms %s" % (
            durability, count / wall, p99, bound, "ok" if p99 <= bound else "OVER"), flush=True)
    return good


def throughput(weir, folder, events):
    """Of tail to file, beside what the disk allows to the log alone."""
    clear(folder)
    size = os.path.getsize(os.path.join(folder, "events.jsonl")) / events
    allowed = min(800_000, 0.8 * disk_bandwidth(folder) / size)
    _, _, _, wall = run_tail(weir, write_conf(folder, TAIL + FILE, 0, 0), events)
    print("tail to file %7.0f events/s, wanted %.0f %s" % (events / wall, allowed, "ok" if events / wall >= allowed else "UNDER"), flush=True)
    return events / wall >= allowed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weir")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--case", action="append", choices=sorted(CASES))
    parser.add_argument("--seconds", type=int, default=10, help="of each HTTP case")
    parser.add_argument("--latency", action="store_true", help="measure latencies and throughput too")
    parser.add_argument("--instructions", action="store_true", help="count instructions of the tail cases too")
    args = parser.parse_args()
    weir = os.path.abspath(args.weir)
    folder = tempfile.mkdtemp(prefix="weir-bench-")
    source = os.path.join(folder, "events.jsonl")
    with open(source, "w", encoding="utf-8") as f:
        f.writelines(generate.lines(args.events))
    gzip = gzip_seconds(source) / args.events
    print("%d events of %d bytes; gzip -1: %.2f us per event" % (args.events, os.path.getsize(source) / args.events, gzip * 1e6))
    print("%-16s %10s %10s %7s %8s %6s %9s %12s" % ("case", "events/s", "cpu us/ev", "G", "budget", "", "peak MB", "instructions"))
    over = 0
    port, admin = 19880, 12020
    for name in args.case or CASES:
        text, script, budget = CASES[name]
        clear(folder)
        conf = write_conf(folder, text, port, admin)
        run = run_http(weir, conf, script, port, admin, args.seconds) if script else run_tail(weir, conf, args.events)
        count, cpu, peak, wall = run[:4]
        g = cpu / count / gzip
        over += g > 2 * budget
        ir = "%.0f" % instructions_per_event(weir, text, 10_000) if args.instructions and not script else "-"
        print("%-16s %10.0f %10.2f %7.2f %8.2f %6s %9.1f %12s" % (
            name, count / wall, cpu / count * 1e6, g, budget, "ok" if g <= budget else "2x" if g <= 2 * budget else "OVER", peak, ir), flush=True)
    if args.latency:
        over += not latencies(weir, folder, port, admin, args.seconds)
        over += not throughput(weir, folder, args.events)
    shutil.rmtree(folder)
    sys.exit(1 if over else 0)


main()
