# SPDX-License-Identifier: Apache-2.0
"""Standard input: a file, a pipe that stays silent for a while, and a parser with the parser filter behind it.  Every
good line is delivered, only the bad ones are quarantined, and the agent ends by itself with its input."""

import os
import subprocess
import time

from weir import Agent, binary, check, read_records

CONF = """
[INPUT]
    name stdin
    tag app.in
%s
[OUTPUT]
    name file
    match app.*
    path {dir}/out
    file events
    format json_lines
    json_date_key date
    mkdir on
"""


def run(agent, stdin, feed=None):
    with open(agent.log, "ab") as log:
        p = subprocess.Popen([binary(), "-c", agent.conf], stdin=stdin, stdout=log, stderr=log)
    agent.process = p
    if feed:
        feed(p.stdin)
    try:
        code = p.wait(60)
    except subprocess.TimeoutExpired:
        check(False, "it did not end with its input:\n" + agent.log_text())
    check(code == 0, "exit status %d:\n%s" % (code, agent.log_text()))


def ledger(agent, **want):
    code, out, err = agent.run("ledger", "-c", agent.conf)
    check(code == 0 and "balanced" in out, "the ledger: %s%s" % (out, err))
    words = out.split()
    for name, n in want.items():
        got = int(words[words.index(name) + 1])
        check(got == n, "%s is %d, not %d:\n%s" % (name, got, n, out))


def a_file():
    agent = Agent(CONF % "")
    path = os.path.join(agent.dir, "input")
    with open(path, "w", encoding="utf-8") as f:
        for i in range(5000):
            f.write('{"n": %d}\n' % i)
            if i % 1000 == 0:
                f.write('{"n": %d, bad\n' % i)
        f.write('[1700000000.5, {"n": 5000}]')  # no newline at the end
    with open(path, "rb") as f:
        run(agent, f)
    got = list(read_records(os.path.join(agent.dir, "out")))
    check([r["n"] for r in got] == list(range(5001)), "%d records came, or not in order" % len(got))
    check(got[5000]["date"] == 1700000000.5, "its own time is lost: %s" % got[5000])
    ledger(agent, quarantined=5, logged=5001)


def a_pipe():
    agent = Agent(CONF % "")

    def feed(pipe):
        for i in range(3):
            pipe.write(b'{"n": %d}\n{"n"' % (2 * i))
            pipe.flush()
            time.sleep(0.2)
            pipe.write(b': %d}\n' % (2 * i + 1))
            pipe.flush()
        pipe.close()

    run(agent, subprocess.PIPE, feed)
    got = [r["n"] for r in read_records(os.path.join(agent.dir, "out"))]
    check(got == list(range(6)), "got %s" % got)
    ledger(agent, quarantined=0, logged=6)


def parsers():
    agent = Agent(CONF % """    parser cri
[FILTER]
    name parser
    match app.*
    key_name message
    parser logfmt
    reserve_data on
""")
    lines = b"2026-01-02T03:04:05.678901234+02:00 stdout F level=warn user=bob\nnonsense\n" \
            b"2026-01-02T03:04:06.5Z stderr F =neither\n"
    run(agent, subprocess.PIPE, lambda pipe: (pipe.write(lines), pipe.close()))
    got = list(read_records(os.path.join(agent.dir, "out")))
    check(len(got) == 2, "got %s" % got)
    check(got[0]["level"] == "warn" and got[0]["user"] == "bob" and got[0]["stream"] == "stdout", "got %s" % got[0])
    check("message" not in got[0], "the parsed field is still there: %s" % got[0])
    check(abs(got[0]["date"] - 1767315845.678901) < 1e-3, "the time is not the line's: %s" % got[0])
    check(got[1]["message"] == "=neither", "a line that is no logfmt must stay: %s" % got[1])
    ledger(agent, quarantined=1, logged=2)


a_file()
a_pipe()
parsers()
