# SPDX-License-Identifier: Apache-2.0
"""The command line: flags, subcommands, exit codes, and what it says when it is used wrongly."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from weir import SOURCE, Agent, binary, check, free_port, until

# Nothing of this play may land in anybody's home.
HOME = tempfile.mkdtemp(prefix="weir-play-cli-")
ENV = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_STATE_HOME", "STATE_DIRECTORY")}
ENV["XDG_STATE_HOME"] = os.path.join(HOME, "state")
PORT_OFF = os.path.join(HOME, "service.conf")  # -R takes any file: here one that asks for a free admin port


def weir(*args, stdin="", env=None, code=None, seconds=30):
    p = subprocess.run([binary(), *args], input=stdin, capture_output=True, text=True, timeout=seconds, env=env or ENV, cwd=HOME)
    if code is not None:
        check(p.returncode == code, "weir %s: exit %d, not %d\nstdout: %s\nstderr: %s" % (
            " ".join(args), p.returncode, code, p.stdout[-1500:], p.stderr[-1500:]))
    return p


def has(text, *parts):
    for part in parts:
        check(part in text, "`%s` is not in:\n%s" % (part, text[-2000:]))


def write(name, text):
    path = os.path.join(HOME, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def run_until(args, enough, stop=signal.SIGTERM):
    """Runs in the foreground until enough(stdout, stderr) is true, then ends it by a signal."""
    out, err = (open(os.path.join(HOME, n), "w+", encoding="utf-8") for n in ("out", "err"))
    p = subprocess.Popen([binary(), *args], stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=ENV, cwd=HOME)

    def texts():
        return tuple(open(os.path.join(HOME, n), encoding="utf-8").read() for n in ("out", "err"))

    try:
        until(lambda: p.poll() is not None or enough(*texts()), 20, "`weir %s`" % " ".join(args))
        check(p.poll() is None, "`weir %s` ended by itself with %s: %s" % (" ".join(args), p.returncode, texts()))
        p.send_signal(stop)
        check(p.wait(20) == 0, "`weir %s`: exit %s: %s" % (" ".join(args), p.returncode, texts()))
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()
    return texts()


def flags():
    has(weir("-h", code=0).stdout, "usage:", "--config", "--dry-run", "quarantine")
    check(weir("--help").stdout == weir("-h").stdout, "--help and -h differ")
    check(re.fullmatch(r"weir \d+\.\d+\.\d+\S*\n", weir("-V", code=0).stdout), "version: " + weir("-V").stdout)
    check(weir("--version").stdout == weir("-V").stdout, "--version and -V differ")
    has(weir(code=2).stdout, "usage:")
    has(weir("-v", code=1).stderr, "no configuration")
    weir("--nonsense", code=2)
    has(weir("-p", "a=b", code=2).stderr, "-p must follow")
    has(weir("-i", "dummy", "-p", "rate", code=2).stderr, "KEY=VALUE")
    has(weir("-i", "dumy", "-o", "stdout", code=1).stderr, "dummy")
    has(weir("-i", "dummy", "-p", "sample=1", "-o", "stdout", code=1).stderr, "sample", "samples")
    has(weir("-c", "nowhere.conf", code=1).stderr, "nowhere.conf")
    has(weir("-c", "x.conf", "y.conf", code=2).stderr, "y.conf")
    has(weir("chek", code=2).stderr, "did you mean `check`?")
    has(weir("frobnicate", code=2).stderr, "unknown command")


def runs():
    """Inputs and outputs of the command line, short and long."""
    short = ["-R", PORT_OFF, "-i", "dummy", "-p", "samples=3", "-p", "rate=100", "-t", "some.tag", "-F", "modify", "-m", "some.*",
             "-p", "add=colour blue", "-o", "stdout", "-m", "some.*", "-p", "format=json_lines", "-f", "1"]
    out, err = run_until(short, lambda o, e: o.count("\n") >= 3)
    check(out.count('"colour":"blue"') == 3, "stdout: " + out)
    has(err, "started", "stopped", "balanced=true")
    out, err = run_until(["--parser", PORT_OFF, "--input", "dummy", "--prop", "samples=3", "--prop", "rate=100", "--tag", "a", "--filter",
                          "modify", "--match", "a", "--prop", "add=x y", "--output", "stdout", "--flush", "1", "--verbose"],
                         lambda o, e: o.count('"x"=>"y"') >= 3, signal.SIGINT)
    has(err, "started", "stopped")
    # -R reads sections in: what follows still belongs to the -o before it
    extra = write("extra.conf", "[PARSER]\n    name mine\n    format json\n[INPUT]\n    name dummy\n    tag other\n    samples 1\n")
    out, _ = run_until(["-R", PORT_OFF, "-i", "dummy", "-t", "one", "-p", "samples=1", "-p", "rate=100", "-o", "stdout", "-R", extra,
                        "-m", "one", "-p", "format=json_lines"], lambda o, e: o.count("\n") >= 1)
    check(out.startswith('{"date":') and out.count("\n") == 1, "-m and -p after -R went elsewhere: " + out)
    quiet, err = run_until(["-R", PORT_OFF, "-q", "-i", "dummy", "-p", "rate=100", "-o", "stdout"], lambda o, e: o)
    check(err == "", "-q said: " + err)
    log = os.path.join(HOME, "own.log")
    _, err = run_until(["-R", PORT_OFF, "-l", log, "-i", "dummy", "-p", "rate=100", "-o", "null"],
                       lambda o, e: os.path.exists(log) and "started" in open(log, encoding="utf-8").read())
    check(err == "", "with -l something was said on stderr: " + err)
    has(open(log, encoding="utf-8").read(), "stopped")
    # an input that ends, ends the agent
    p = weir("-R", PORT_OFF, "-i", "stdin", "-o", "stdout", "-m", "*", stdin='{"a":1}\n{"a":2}', code=0)
    check(p.stdout.count('"a"=>') == 2, "stdin: %s %s" % (p.stdout, p.stderr))
    p = weir("-R", PORT_OFF, "-i", "stdin", "-o", "stdout", "-p", "format=json_lines", "-p", "json_date_key=false", code=0,
             stdin="".join('{"n":%d}\n' % n for n in range(5000)))
    check([json.loads(line)["n"] for line in p.stdout.splitlines()] == list(range(5000)), "5000 lines through: %d" % p.stdout.count("\n"))
    found = [os.path.join(r, n) for r, _, names in os.walk(os.path.join(HOME, "state")) for n in names]
    check(found, "no store below XDG_STATE_HOME")


def checks():
    has(weir("check", "-i", "dummy", "-o", "stdout", code=0).stdout, "good: 1 inputs, 0 filters, 1 outputs")
    has(weir("-D", "-i", "dummy", "-o", "stdout", code=0).stdout, "good")
    has(weir("--dry-run", "-c", os.path.join(SOURCE, "conf/weir.conf"), code=0).stdout, "good")
    has(weir("check", "-i", "dummy", "-o", "stdout", "-m", "other", code=1).stderr, "no tag of any input can reach output stdout.0")
    has(weir("check", "-i", "dummy", "-o", "http", "-p", "prt=1", code=1).stderr, "prt", "port")
    has(weir("check", "-h", code=0).stdout, "usage:")
    has(weir("check", code=1).stderr, "no configuration")
    bad = write("bad.conf", "[INPUT]\n    name dummy\n    rate 10\n    sampels 3\n[OUTPUT]\n    name stdout\n    match *\n")
    has(weir("check", "-c", bad, code=1).stderr, "bad.conf:4:5:", "sampels", "samples")
    has(weir("-D", "-c", bad, code=1).stderr, "bad.conf:4:5:")
    has(weir("-c", bad, code=1).stderr, "bad.conf:4:5:")
    has(weir("check", bad, code=1).stderr, "bad.conf:4:5:")
    warn = write("warn.conf", "[INPUT]\n    name dummy\n    dummy {\"a\":\"${NOT_SET_ANYWHERE}\"}\n    tag a\n"
                              "[OUTPUT]\n    name stdout\n    match b\n")
    err = weir("check", "-c", warn, code=1).stderr
    has(err, "warn.conf:3:", "NOT_SET_ANYWHERE", "warn.conf:5:", "can reach")


def plugins():
    listing = weir("plugins", code=0).stdout
    has(listing, "inputs", "filters", "outputs", "  tail ", "  lua ", "  stdout ")
    has(weir("plugins", "tail", code=0).stdout, "input tail:", "read_from_head", "common to every input", "alias")
    both = weir("plugins", "http", code=0).stdout
    has(both, "input http:", "output http:")
    one = weir("plugins", "output/http", code=0).stdout
    check("input http:" not in one and "output http:" in one, one[:300])
    has(weir("plugins", "tail", "--format", "markdown", code=0).stdout, "| `read_from_head` |")
    has(weir("plugins", "tial", code=1).stderr, "did you mean `tail`?")
    weir("plugins", "tail", "--format", "nonsense", code=2)
    kind, seen = None, 0
    for line in listing.splitlines():
        if not line.startswith(" "):
            kind = line.strip()[:-1]
            continue
        name = "%s/%s" % (kind, line.split()[0])
        schema = json.loads(weir("plugins", name, "--format", "json", code=0).stdout)
        check(schema.get("type") == "object" and schema.get("properties"), "schema of %s: %s" % (name, str(schema)[:200]))
        for key, p in schema["properties"].items():  # what is accepted and ignored may be anything
            check("type" in p or "enum" in p or "no meaning" in p["description"], "schema of %s: `%s` has no type" % (name, key))
        check(weir("plugins", name, "--format", "markdown", code=0).stdout.startswith("|"), "markdown of " + name)
        seen += 1
    check(seen >= 14, "%d plugins" % seen)


def store_of_two():
    """ledger and quarantine, running and stopped; a second agent on the same store."""
    agent = Agent("""
[INPUT]
    name http
    listen 127.0.0.1
    port {port}
    tag events
[FILTER]
    name lua
    match *
    code function f(tag, ts, r) if r.bad then error("no " .. r.bad) end return 2, ts, r end
    call f
[OUTPUT]
    name file
    match *
    path {dir}/out
    format json_lines
    mkdir on
""").start()
    events = [{"event_id": "a%d" % n, "n": n} for n in range(8)] + [{"event_id": "b", "bad": "way"}, {"event_id": "c", "bad": "luck"}]
    status, text, _ = agent.post("/v1/events", json.dumps(events))
    check(status == 200 and json.loads(text)["quarantined"] == 2, text)
    until(lambda: agent.ledger()["outputs"]["file.0"]["delivered"] == 8, 10, "delivery")
    # running
    has(weir("ledger", "-c", agent.conf, code=0).stdout, "in 10 + created 0 = ", "quarantined 2", "logged 8", "file.0: routed 8", "\nbalanced\n")
    check(json.loads(weir("ledger", "-c", agent.conf, "--json", code=0).stdout)["in"] == 10, "the ledger as JSON")
    p = weir("-c", agent.conf, code=1)
    has(p.stderr, os.path.join(agent.dir, "state"))
    check("another" in p.stderr or "in use" in p.stderr or "locked" in p.stderr, "the second agent said: " + p.stderr)
    agent.balanced_ledger()  # and the first is well
    until(lambda: weir("quarantine", "ls", "-c", agent.conf, code=0).stdout.count("\n") == 2, 10, "the listing")
    quarantine(agent)
    agent.stop()
    has(weir("ledger", "-c", agent.conf, code=0).stdout, "in 10 + created 2 = ", "\nbalanced\n")
    ledger = json.loads(weir("ledger", "-c", agent.conf, "--json", code=0).stdout)
    check(ledger["balanced"] and ledger["outputs"]["file.0"]["pending"] == 0, str(ledger))
    check(weir("quarantine", "ls", "-c", agent.conf, code=0).stdout.count("\n") >= 2, "the listing of a stopped agent")
    has(weir("quarantine", "replay", "-c", agent.conf, code=1).stderr, "not running")
    has(weir("ledger", "-c", write("memory.conf", "[SERVICE]\n    storage.type memory\n[INPUT]\n    name dummy\n[OUTPUT]\n    name null\n    match *\n"),
             code=1).stderr, "memory")
    nowhere = write("nowhere.conf", "[SERVICE]\n    storage.path %s/none\n[INPUT]\n    name dummy\n[OUTPUT]\n    name null\n    match *\n" % HOME)
    has(weir("ledger", "-c", nowhere, code=1).stderr, "no store at")
    check(not os.path.exists(os.path.join(HOME, "none")), "`weir ledger` made a store")


def quarantine(agent):
    listing = weir("quarantine", "ls", "-c", agent.conf, code=0).stdout.splitlines()
    first = listing[0].split()[0]
    check(all("Lua-Error" in line and "luck" not in line.split("Lua-Error")[0] for line in listing), str(listing))
    for option in (["--config"], ["-c"]):
        shown = weir("quarantine", "show", first, *option, agent.conf, code=0).stdout
        has(shown, "id        " + first, "plugin    lua.0", "tag       events", "bad", "sealed (AES-256-GCM)")
        check(weir("quarantine", "show", *option, agent.conf, first, code=0).stdout == shown, "show with the ID behind the file")
    has(weir("quarantine", "show", "ffffffff", "-c", agent.conf, code=1).stderr, "no entry ffffffff")
    has(weir("quarantine", "show", "-c", agent.conf, code=2).stderr, "usage:")
    has(weir("quarantine", code=2).stderr, "usage:")
    has(weir("quarantine", "lst", "-c", agent.conf, code=2).stderr, "usage:")

    def count(*args):
        return weir("quarantine", "ls", "-c", agent.conf, *args, code=0).stdout.count("\n")

    check(count("--reason", "Lua-Error") == 2 and count("--reason", "Other") == 0, "--reason")
    check(count("--output", "lua.0") == 2 and count("--output", "file.0") == 0, "--output")
    check(count("--since", "2020-01-01T00:00:00Z") == 2 and count("--since", "2100-01-01T00:00:00Z") == 0, "--since")
    check(count("--id", first) == 1, "--id")
    has(weir("quarantine", "ls", "-c", agent.conf, "--since", "yesterday", code=2).stderr, "yesterday")

    def replayed(*args):
        return json.loads(weir("quarantine", "replay", "-c", agent.conf, *args, code=0).stdout)["replayed"]

    check(replayed("--reason", "Other") == 0 and replayed("--since", "2100-01-01T00:00:00Z") == 0, "a replay that nothing fits")
    # The rule still fails: each goes round once and is quarantined anew.
    check(replayed("--id", first) == 1, "replay of one by its id")
    check(replayed("--id", first) == 0, "one entry was replayed twice")
    check(replayed("--output", "lua.0", "--reason", "Lua-Error", "--since", "2020-01-01T00:00:00Z") >= 1, "replay of the rest")


def orphan():
    """An output that leaves the configuration keeps its backlog, and the log, until it is forgotten."""
    gone = "[OUTPUT]\n    name http\n    alias gone\n    match *\n    host 127.0.0.1\n    port %d\n" % free_port()
    agent = Agent("[INPUT]\n    name http\n    listen 127.0.0.1\n    port {port}\n[OUTPUT]\n    name null\n    match *\n" + gone).start()
    check(agent.post("/", "[{},{},{}]")[0] == 201, "three events")
    has(weir("queue", "forget", "gone", "-c", agent.conf, code=1).stderr, "is in the configuration")
    agent.stop()
    text = open(agent.conf, encoding="utf-8").read()
    with open(agent.conf, "w", encoding="utf-8") as f:
        f.write(text.replace(gone, ""))
    has(weir("queue", "forget", "gone", "-c", agent.conf, code=1).stderr, "not running")
    agent.start()
    ledger = agent.balanced_ledger()
    check(ledger["outputs"]["gone"]["orphan"] and ledger["outputs"]["gone"]["pending"] == 3, str(ledger))
    has(weir("ledger", "-c", agent.conf, code=0).stdout, "gone: ", "not in the configuration")
    has(weir("queue", "forget", "gnoe", "-c", agent.conf, code=1).stderr, "gnoe")
    has(weir("queue", "forget", "!quarantine", "-c", agent.conf, code=1).stderr, "in the configuration")
    has(weir("queue", "forget", "-c", agent.conf, code=2).stderr, "usage")
    check(json.loads(weir("queue", "forget", "gone", "-c", agent.conf, code=0).stdout) == {"forgotten": "gone"}, "forgotten")
    check("gone" not in agent.balanced_ledger()["outputs"], agent.get("/ledger"))
    agent.stop()
    check("gone" not in weir("ledger", "-c", agent.conf, code=0).stdout, "forgotten, and there after a restart")


def without_a_store():
    """The commands about a store: wrong words, a configuration that is not there, one whose store is memory, none yet."""
    commands = [("ledger",), ("quarantine", "ls"), ("quarantine", "replay"), ("queue", "forget", "x")]
    memory = write("memory.conf", "[SERVICE]\n    storage.type memory\n[INPUT]\n    name dummy\n[OUTPUT]\n    name null\n    match *\n")
    bad = write("bad.conf", "[SERVICE]\n    flsh 1\n")
    none = write("none.conf", "[SERVICE]\n    storage.path %s\n[INPUT]\n    name dummy\n" % os.path.join(HOME, "no-store"))
    for command in commands:
        weir(*command, "-c", none, "--nonsense", code=2)
        has(weir(*command, "-c", "nowhere.conf", code=1).stderr, "nowhere.conf")
        has(weir(*command, "-c", bad, code=1).stderr, "flsh", "flush")
        has(weir(*command, "-c", memory, code=1).stderr, "storage.type is memory")
        check(weir(*command, "-c", none, code=1).stderr != "", "%s of no store says nothing" % (command,))
    check(not os.path.exists(os.path.join(HOME, "no-store")), "a command made a store")
    has(weir("quarantine", code=2).stderr, "usage")
    has(weir("quarantine", "frobnicate", "-c", none, code=2).stderr, "usage")
    has(weir("quarantine", "show", "-c", none, code=2).stderr, "usage")
    has(weir("quarantine", "ls", "-c", none, "--since", "yesterday", code=2).stderr, "2026-01-31T12:00:00Z")
    has(weir("queue", "frobnicate", "x", code=2).stderr, "usage")
    weir("check", "--nonsense", code=2)


def main():
    began = time.time()
    with open(PORT_OFF, "w", encoding="utf-8") as f:
        f.write("[SERVICE]\n    http_port 0\n")
    try:
        flags()
        checks()
        without_a_store()
        plugins()
        runs()
        store_of_two()
        orphan()
    finally:
        shutil.rmtree(HOME, ignore_errors=True)
    print("flags, check, plugins, ledger and quarantine do what they say (%.1f s)" % (time.time() - began))


main()
