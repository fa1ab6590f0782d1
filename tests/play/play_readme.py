# SPDX-License-Identifier: Apache-2.0
"""README.md is true: every command in it is run (packaging/test is only looked at), what it shows of an answer has the
answer's shape, the files that it names exist, and the quickstart does what it promises."""

import glob
import gzip
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

from weir import SOURCE, binary, check, fail, free_port, until

DEMO = os.path.join(SOURCE, "packaging/demo/sketchychain.py")
TMP = tempfile.mkdtemp(prefix="weir-play-readme-")
ENV = dict(os.environ, WEIR_DATA=os.path.join(TMP, "data"), XDG_STATE_HOME=os.path.join(TMP, "xdg"), HOME=TMP,
           PATH="%s:%s" % (os.path.dirname(binary()), os.environ["PATH"]))


def run(command, code=0):
    p = subprocess.run(["bash", "-c", command], cwd=SOURCE, env=ENV, capture_output=True, text=True, timeout=60)
    check(p.returncode == code, "`%s`: exit %d\n%s%s" % (command, p.returncode, p.stdout[-1000:], p.stderr[-1000:]))
    return p.stdout


def blocks(text):
    """(language, code) of each fenced block; a line that ends in a backslash goes on."""
    return [(lang, body.replace("\\\n", " ")) for lang, body in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S)]


def people():
    """What the demo writes of people, none of which may come out."""
    source = open(DEMO, encoding="utf-8").read()
    found = re.search(r"^PEOPLE = (\[.*?\])$", source, re.M | re.S)
    check(found, "the demo has no PEOPLE")
    return eval(found[1], {})  # a literal of our own


class Quickstart:
    def __init__(self, seconds):
        self.dir = os.path.join(TMP, "quickstart")
        self.port, self.admin = free_port(), free_port()
        env = dict(os.environ, QUICKSTART_WEIR=binary(), QUICKSTART_DIR=self.dir, QUICKSTART_PORT=str(self.port),
                   QUICKSTART_ADMIN_PORT=str(self.admin))
        if seconds:
            env["QUICKSTART_SECONDS"] = str(seconds)
        self.env = env
        self.out = open(os.path.join(TMP, "quickstart.out"), "w+", encoding="utf-8")
        self.began = time.time()
        # A session of its own: Ctrl-C goes to a whole foreground group.
        self.process = subprocess.Popen(["packaging/quickstart"], cwd=SOURCE, env=env, stdout=self.out, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, start_new_session=True)

    def text(self):
        with open(self.out.name, encoding="utf-8") as f:
            return f.read()

    def files(self):
        return [p for p in glob.glob(self.dir + "/events/**/*.gz", recursive=True)]

    def end(self):
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            fail("the quickstart did not end:\n" + self.text())
        check(code == 0, "the quickstart ended with %d:\n%s" % (code, self.text()))
        return self.text()


def redacted(folder):
    """Everything below events/, plain and unpacked, without a trace of anybody."""
    records, raw = 0, b""
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as f:
                data = f.read()
            raw += data
            if name.endswith(".gz"):
                plain = gzip.decompress(data)
                records += plain.count(b"\n")
                raw += plain
                for line in plain.splitlines():
                    json.loads(line)
    text = raw.decode("utf-8", "replace")
    for user, mail, address in people():
        for secret in (mail, mail.split("@")[0] + "@", address, '"%s"' % user, "token="):
            check(secret not in text, "`%s` came out, below %s" % (secret, folder))
    return records


def quickstart(curl):
    q = Quickstart(6)
    try:
        until(q.files, 15, "the first file:\n" + q.text())
        took = time.time() - q.began
        check(took < (5 if b"__asan" not in open(binary(), "rb").read() else 8), "the first file took %.1f s" % took)
        answer = json.loads(run(curl.replace("127.0.0.1:9880", "127.0.0.1:%d" % q.port)))
        check(answer["accepted"] == 1, "README's curl: %s" % answer)
        printed = re.search(r"^ *(curl -s \S+/v1/events .*)$", q.text(), re.M)
        check(printed, "the quickstart prints no curl:\n" + q.text())
        check(json.loads(run(printed[1]))["duplicate"] == 1, "the printed curl sends another event than README's")
        code = run("curl -s 127.0.0.1:%d/ledger.txt" % q.admin)
        check("balanced" in code, code)
        text = q.end()
    finally:
        if q.process.poll() is None:
            os.killpg(q.process.pid, signal.SIGKILL)
    check("the ledger:" in text and "\nbalanced\n" in text and "Ctrl-C" in text and re.search(r"^in \d+ ", text, re.M), text)
    check(not re.search(r"Traceback|[Ee]rror:|cannot", text), text)
    n = redacted(os.path.join(q.dir, "events"))
    ledger = dict(re.findall(r"(\w+) (\d+)", text.split("the ledger:")[1]))
    check(n == int(ledger["delivered"]) and int(ledger["pending"]) == 0, "%d records in files, the ledger: %s" % (n, ledger))
    listing = subprocess.run([binary(), "quarantine", "ls", "-c", os.path.join(SOURCE, "conf/quickstart.conf")], env=q.env,
                             capture_output=True, text=True)
    total = int(re.search(r"in \d+ .*?quarantined (\d+)", text.split("the ledger:")[1])[1])
    check(listing.returncode == 0 and listing.stdout.count("Required-Missing") == total, "quarantined %d: %s" % (total, listing.stdout))
    # again, on what is there already, until Ctrl-C
    q = Quickstart(0)
    try:
        until(lambda: re.search(r"^in \d+ ", q.text(), re.M), 15, "the second run:\n" + q.text())
        os.killpg(q.process.pid, signal.SIGINT)
        text = q.end()
    finally:
        if q.process.poll() is None:
            os.killpg(q.process.pid, signal.SIGKILL)
    check("the ledger:" in text and "\nbalanced\n" in text and "Traceback" not in text, "after Ctrl-C:\n" + text)
    n2 = redacted(os.path.join(q.dir, "events"))
    check(n2 > n, "the second run added nothing")
    print("quickstart: first file after %.1f s, %d events redacted, %d quarantined, balanced; Ctrl-C ends it with the ledger" % (took, n2, total))


def agent_in_front(command):
    """`weir -c conf/weir.conf` with free ports."""
    text = open(os.path.join(SOURCE, "conf/weir.conf"), encoding="utf-8").read()
    port, admin = free_port(), free_port()
    text = text.replace("9880", str(port)).replace("2020", str(admin)).replace("parsers.conf", SOURCE + "/conf/parsers.conf", 2)
    text = text.replace("../lua", SOURCE + "/lua")
    path = os.path.join(TMP, "weir.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    p = subprocess.Popen(shlex.split(command.replace("conf/weir.conf", path)), env=ENV, cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def healthy():
        try:
            return urllib.request.urlopen("http://127.0.0.1:%d/api/v1/health" % admin, timeout=2).status == 200
        except OSError:
            check(p.poll() is None, "`%s` ended: %s" % (command, p.stdout.read() if p.poll() is not None else ""))
            return False

    until(healthy, 15, "`%s`" % command)
    p.terminate()
    check(p.wait(20) == 0, "`%s`: exit status" % command)
    p.stdout.close()


def command(line):
    """Runs one command of a block; False: nobody has said how."""
    if line.startswith("weir -c "):
        agent_in_front(line)
    elif line.startswith(("weir check", "weir plugins", "weir ledger", "weir quarantine ls")):
        run(line)
    elif line.startswith("packaging/"):
        check(os.access(os.path.join(SOURCE, line.split()[0]), os.X_OK), line)
        run("bash -n " + line.split()[0])
    else:
        return False
    return True


def main():
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as f:
        readme = f.read()
    curl, answers = None, []
    for lang, body in blocks(readme):
        if lang == "json":
            answers.append(json.loads(body))
            continue
        check(lang == "sh", "a block of `%s`" % lang)
        for line in body.splitlines():
            line = re.sub(r"\s+#.*", "", line).strip()
            if line.startswith("curl "):
                curl = line
            elif line and not command(line):
                fail("README.md has a command that this play does not know: " + line)
    check(curl and len(answers) == 1, "the curl line, or the answer, is gone from README.md")
    check(set(answers[0]) == {"accepted", "duplicate", "filtered", "quarantined", "dropped", "results"}, str(answers[0]))
    helped = run("weir --help")
    for flag in re.findall(r"`(-\w)`", readme):
        check(flag + "," in helped, "%s is not in --help" % flag)
    for path in re.findall(r"`((?:agent|conf|lua|inputs|filters|outputs|tests|packaging)/[\w./-]*)", readme):
        check(os.path.exists(os.path.join(SOURCE, path)), "README.md names %s, which is not there" % path)
    print("README.md: commands, paths and flags")
    quickstart(curl)


signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell that was started with it ignored could not trap it
try:
    main()
finally:
    shutil.rmtree(TMP, ignore_errors=True)
