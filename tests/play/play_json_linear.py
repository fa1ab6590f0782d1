# SPDX-License-Identifier: Apache-2.0
"""The JSON reader's work grows as its input does: instructions, counted by valgrind in the release build, for hostile
shapes of one, two and four times a size.  From two to four may cost at most 2.4 times what from one to two did."""

import os
import subprocess
import sys
import tempfile

from weir import SOURCE, check

SIZE = 100_000
SHAPES = {
    "keys": lambda n: "{" + ",".join('"k%07d":1' % i for i in range(n // 13)) + "}",
    "the same key": lambda n: "{" + ",".join('"k":%d' % (i % 10) for i in range(n // 6)) + "}",
    "escapes": lambda n: '{"s":"' + "\\u00e9\\n" * (n // 8) + '"}',
    "arrays": lambda n: '{"a":[' + ",".join("[1,[2]]" for _ in range(n // 8)) + "]}",
    "deep": lambda n: '{"a":[' + ",".join("[" * 60 + "]" * 60 for _ in range(n // 121)) + "]}",
    "numbers": lambda n: '{"a":[' + ",".join("1.2345678901234567e-10" for _ in range(n // 23)) + "]}",
    "too deep": lambda n: "[" * n,
}


def program():
    for path in (os.environ.get("WEIR_RELEASE"), os.path.join(SOURCE, "build/release/weir"), sys.argv[1] if len(sys.argv) > 1 else None):
        if path and os.path.exists(path) and b"__asan_init" not in open(path, "rb").read():
            return path
    return None


def instructions(weir, text):
    with tempfile.TemporaryDirectory() as folder:
        out, conf = os.path.join(folder, "callgrind"), os.path.join(folder, "weir.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write("[SERVICE]\n    http_server off\n    log_level error\n    storage.path %s/state\n"
                    "[INPUT]\n    name stdin\n[OUTPUT]\n    name null\n    match *\n" % folder)
        subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, weir, "-c", conf],
                       input=text.encode() + b"\n", capture_output=True, check=True, timeout=120)
        with open(out, encoding="utf-8") as f:
            return next(int(line.split()[1]) for line in f if line.startswith(("totals:", "summary:")))


def main():
    weir = program()
    if not weir:
        print("skipped: no build without sanitizers at build/release/weir")
        return
    for name, shape in SHAPES.items():
        one, two, four = (instructions(weir, shape(SIZE * k)) for k in (1, 2, 4))
        first, second = two - one, four - two
        print("%-13s %11d %11d %11d: %.2f" % (name, one, two, four, second / max(first, 1)))
        check(second <= 2.4 * max(first, SIZE), "%s: the work does not grow as the input does" % name)


main()
