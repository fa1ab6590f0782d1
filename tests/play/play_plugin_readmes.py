# SPDX-License-Identifier: Apache-2.0
"""Each plugin's README is short, bears its name, and its table of options is what the program says of itself."""

import os
import subprocess
import sys

from weir import SOURCE, binary, check, fail

PROSE_LINES = 90

p = subprocess.run([sys.executable, os.path.join(SOURCE, "packaging/readme-options"), "--check", binary()], capture_output=True, text=True)
if p.returncode:
    fail(p.stderr)
n = 0
for kind in ("inputs", "filters", "outputs"):
    for name in sorted(os.listdir(os.path.join(SOURCE, kind))):
        folder = os.path.join(SOURCE, kind, name)
        with open(os.path.join(folder, "README.md"), encoding="utf-8") as f:
            lines = f.read().splitlines()
        check(lines[0] == "# " + name, "%s/README.md begins with `%s`" % (folder, lines[0]))
        prose = [line for line in lines if not line.startswith("|")]
        check(3 < len(prose) <= PROSE_LINES, "%s/README.md: %d lines" % (folder, len(prose)))
        check(os.path.exists(os.path.join(folder, "example.conf")), folder + " has no example.conf")
        n += 1
print("%d READMEs are up to date" % n)
