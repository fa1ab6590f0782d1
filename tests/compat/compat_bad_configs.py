#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad configurations, one a file, and the good ones that ship.

The first line of each file in bad_configs/ says what `weir check` must print:
    # expect: TEXT | TEXT | line N
each TEXT on standard error, and FILE:N: of the file itself; `line N of parts/x.conf` for an included one.
Every file of conf/ and every example.conf of a plugin must pass.

    compat_bad_configs.py WEIR [NAME...]
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
source = os.environ.get("WEIR_SOURCE", os.path.dirname(os.path.dirname(here)))


def check(weir, path, state):
    env = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}
    env.update(LC_ALL="C", STATE_DIRECTORY=state, XDG_STATE_HOME=state)
    return subprocess.run([weir, "check", "-c", os.path.basename(path)], cwd=os.path.dirname(path), env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=60)


def bad(weir, path, state):
    with open(path, encoding="utf-8") as f:
        first = f.readline()
    if not first.startswith("# expect: "):
        return "no `# expect:` in its first line"
    done = check(weir, path, state)
    wrong = []
    if done.returncode != 1:
        wrong.append(f"exit status {done.returncode}, not 1")
    for text in first[len("# expect: "):].strip().split(" | "):
        place = re.fullmatch(r"line (\d+)(?: of (\S+))?", text)
        if place:
            text = f"{place[2] or os.path.basename(path)}:{place[1]}:"
        if text not in done.stderr:
            wrong.append(f"not said: {text}")
    return wrong and "; ".join(wrong) + "\n    stderr: " + done.stderr.strip()


def good(weir, path, state):
    done = check(weir, path, state)
    return done.returncode != 0 and f"exit status {done.returncode}\n    stderr: " + done.stderr.strip()


def main():
    weir, names = os.path.abspath(sys.argv[1]), sys.argv[2:]
    files = [(bad, p) for p in sorted(glob.glob(here + "/bad_configs/*.*"))]
    files += [(good, p) for pattern in ("conf/*.conf", "conf/examples/*", "inputs/*/example.conf",
                                        "filters/*/example.conf", "outputs/*/example.conf")
              for p in sorted(glob.glob(os.path.join(source, pattern)))]
    failed = 0
    if sum(judge is bad for judge, _ in files) < 60:
        print("fewer than 60 bad configurations were found")
        return 1
    with tempfile.TemporaryDirectory() as state:
        for judge, path in files:
            if names and not any(name in path for name in names):
                continue
            wrong = judge(weir, path, state)
            if wrong:
                failed += 1
                print(f"{os.path.relpath(path, source)}: {wrong}")
    print(f"{len(files)} configurations, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
