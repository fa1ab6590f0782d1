#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: style.py format|clang|tidy BUILD

format: clang-format would change nothing.  clang: every file of the agent and its plugins compiles with clang without
a warning.  tidy: clang-tidy has nothing to say.  BUILD holds compile_commands.json."""

import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
OWN = ("agent/", "inputs/", "filters/", "outputs/", "lua/", "tests/")


def tracked(*endings):
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True).stdout.split("\n")
    return [os.path.join(ROOT, n) for n in names if n.startswith(OWN) and n.endswith(endings) and os.path.exists(os.path.join(ROOT, n))]


def commands(build):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        for entry in json.load(f):
            name = os.path.relpath(entry["file"], ROOT)
            if name.startswith(OWN):
                yield name, entry


def clang(job):
    name, entry = job
    words = [w for w in shlex.split(entry["command"])[1:]]
    skip, kept = False, []
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-c", "-MF", "-MT"):
            skip = word != "-c"
        elif not word.startswith(("-fsanitize", "-fno-sanitize", "-MD", "-Wno-format-truncation")):
            kept.append(word)
    p = subprocess.run(["clang", *kept, "-fsyntax-only", "-Wno-unknown-warning-option"], cwd=entry["directory"], capture_output=True, text=True)
    return name, p.returncode, p.stderr


def tidy(job):
    name, entry = job
    p = subprocess.run(["clang-tidy", "--quiet", "--extra-arg=-Wno-unknown-warning-option", "-p", entry["directory"], os.path.join(ROOT, name)], capture_output=True, text=True)
    return name, p.returncode, p.stdout


def run(work, jobs):
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, status, text in pool.map(work, jobs):
            if status:
                bad += 1
                print("%s:\n%s" % (name, text))
    print("%d files, %d with findings" % (len(jobs), bad))
    return bad != 0


def main():
    what, build = sys.argv[1], sys.argv[2]
    if what == "format":
        return subprocess.run(["clang-format", "--dry-run", "-Werror", *tracked(".c", ".h")]).returncode
    jobs = list(commands(build))
    if what == "clang":
        return run(clang, jobs)
    return run(tidy, [j for j in jobs if not j[0].startswith("tests/")])


sys.exit(main())
