#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: coverage.py BUILD PREFIX ... [--gaps]

Lines and branches that the tests have run, per file below the prefixes (agent/store, agent/net/http_), the worst first.
BUILD is of the coverage preset, after ctest.  A file that several programs contain counts as run where any of them ran
it.  --gaps: also the lines and branches that none did."""

import json
import os
import subprocess
import sys
import tempfile


def merge(files, name, data):
    lines = files.setdefault(name, {})
    for line in data["lines"]:
        count, branches = lines.get(line["line_number"], (0, []))
        seen = [b["count"] for b in line["branches"] if not b["throw"]]
        if len(seen) == len(branches):
            seen = [a + b for a, b in zip(seen, branches)]
        elif len(branches) > len(seen):
            seen = branches
        lines[line["line_number"]] = (count + line["count"], seen)


def collect(build, source, prefixes):
    files = {}
    objects = []
    for folder, _, names in os.walk(build):
        objects += [os.path.join(folder, n) for n in names if n.endswith(".gcda")]
    with tempfile.TemporaryDirectory() as where:
        for at in range(0, len(objects), 50):
            p = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", *objects[at:at + 50]], cwd=where,
                               capture_output=True, text=True)
            if p.returncode: # counts of an older build of that file
                sys.stderr.write(p.stderr)
            for text in filter(None, p.stdout.split("\n")):
                answer = json.loads(text)
                for f in answer["files"]:
                    path = os.path.realpath(os.path.join(answer["current_working_directory"], f["file"])) # may be a link
                    name = os.path.relpath(path, source)
                    if name.endswith(".c") and name.startswith(tuple(prefixes)):
                        merge(files, name, f)
    return files


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def source_of(build):
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
        for line in cache:
            if line.startswith("CMAKE_HOME_DIRECTORY:"):
                return line.strip().split("=", 1)[1]
    sys.exit("%s is no build folder" % build)


def main():
    gaps = "--gaps" in sys.argv
    build, *prefixes = [a for a in sys.argv[1:] if a != "--gaps"]
    source = source_of(build)
    files = collect(build, source, prefixes)
    rows, total = [], [0, 0, 0, 0]
    for name, lines in files.items():
        run = [sum(c > 0 for c, _ in lines.values()), len(lines),
               sum(c > 0 for _, b in lines.values() for c in b), sum(len(b) for _, b in lines.values())]
        total = [a + b for a, b in zip(total, run)]
        rows.append((percent(run[2], run[3]), percent(run[0], run[1]), name, run))
    print("%-36s %14s %14s" % ("", "lines", "branches"))
    for branch, line, name, run in sorted(rows):
        print("%-36s %6.1f%% (%4d) %6.1f%% (%4d)" % (name, line, run[1], branch, run[3]))
        if gaps:
            with open(os.path.join(source, name), encoding="utf-8") as f:
                text = f.read().split("\n")
            for n, (count, branches) in sorted(files[name].items()):
                if not count or 0 in branches:
                    print("  %5d %s %s" % (n, "-----" if not count else "%d of %d" % (branches.count(0), len(branches)), text[n - 1]))
    print("%-36s %6.1f%% (%4d) %6.1f%% (%4d)" % ("all", percent(total[0], total[1]), total[1], percent(total[2], total[3]), total[3]))


main()
