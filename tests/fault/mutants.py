#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks the durable store in known ways, one at a time, and asks whether the test that guards each promise notices.

usage: mutants.py [-k WORD]

Works on a copy in a temporary directory.  Each mutant is a file of agent/store, a text in it, what stands there instead,
and the test (program:case) that must fail.  Exits 1 when a mutant survives or its text is no longer there."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CC = os.environ.get("CC", "gcc")
FLAGS = "-std=gnu17 -D_GNU_SOURCE -O1 -g -fno-strict-aliasing".split()

MUTANTS = [
    ("no fdatasync before the answer", "log_commit.c",
     "if (log->o.disk && io->fdatasync(seg->fd))", "if (0)", "test_faults:every_commit_is_synced"),
    ("no fdatasync, seen by a power cut", "log_commit.c",
     "if (log->o.disk && io->fdatasync(seg->fd))", "if (0)", "test_histories:histories"),
    ("answered early", "log_commit.c",
     "    bool ok = try_write(log, g, bytes);\n\n    if (!ok) {",
     "    for (struct txn *t = g->first; t; t = t->next)\n        t->done(t, true);\n"
     "    bool ok = try_write(log, g, bytes);\n\n    if (!ok) {", "test_faults:trouble_of_fdatasync"),
    ("no directory sync behind the rename", "log_segments.c",
     "if (log->o.disk && io->fsync(log->o.dir)) {", "if (0) {", "test_histories:histories"),
    ("no directory sync, counted", "log_segments.c",
     "if (log->o.disk && io->fsync(log->o.dir)) {", "if (0) {", "test_faults:directory_synced_before_the_first_answer"),
    ("truncation off by one frame", "recovery.c",
     "    if (h->flags & FRAME_LAST) {\n        t->end = w->at;", "    if (1) {\n        t->end = w->at;",
     "test_recovery:cut_at_every_byte"),
    ("truncation before the last transaction", "recovery.c",
     "        t->end = w->at;\n", "        t->end = w->at - frame_size(h->payload_len);\n",
     "test_recovery:cut_at_every_byte"),
    ("header checksum not checked", "segment.c",
     "|| get32(in + 36) != header_crc(in, generation)", "", "test_recovery:flipped_bit_in_a_header"),
    ("payload checksum not checked", "walk.c",
     "&& crc32c(0, payload->p, payload->n) == h->payload_crc", "&& true", "test_recovery:flipped_bit_in_a_payload"),
    ("generation not in the checksum", "segment.c",
     "    put64(seed, generation);", "    (void)generation;\n    put64(seed, 0);", "test_recovery:stale_frames"),
    ("the older slot is chosen", "cursor.c",
     "generation[1] > generation[0]", "generation[1] < generation[0]", "test_cursor:torn_slot_leaves_the_other"),
    ("the durable slot is overwritten", "cursor.c",
     "    if (sync)\n        c->durable_slot = other;", "    c->durable_slot = other;",
     "test_cursor:unsynced_saves_spare_the_durable_slot"),
    ("cursor not synced", "cursor.c",
     "|| (sync && io->fdatasync(c->fd))", "", "test_histories:histories"),
    ("trimmed by an unsynced cursor", "cursor.c",
     "if (sync || make || !c->file)\n        c->held", "if (true)\n        c->held",
     "test_recovery:many_segments_seek_trim_and_recycle"),
    ("torn commit taken for damage", "recovery.c",
     "    if (at >= t->last_group)\n        return false;", "    if (at >= t->last_valid)\n        return false;",
     "test_recovery:torn_commit_with_a_good_end"),
    ("damage taken for a torn tail", "recovery.c",
     "    if (at >= t->last_group)\n        return false;", "    return false;",
     "test_recovery:flipped_bit_in_a_payload"),
    ("no mark behind the last commit", "log_commit.c",
     "    } else if (log->unmarked) {\n        write_mark(log);", "    } else if (false) {\n        write_mark(log);",
     "test_recovery:flipped_bit_after_a_clean_end"),
    ("goes on behind a torn tail", "recovery.c",
     "if (ok && !t.sealed && !t.damaged && !t.leftover && ", "if (ok && !t.sealed && ",
     "test_recovery:nothing_left_behind_comes_back"),
    ("fdatasync tried again where it failed", "log_commit.c",
     "if (log->o.disk && io->fdatasync(seg->fd))", "if (log->o.disk && io->fdatasync(seg->fd) && io->fdatasync(seg->fd))",
     "test_histories:histories"),
    ("answered well though it failed", "log_commit.c",
     "finish(g, !log->broken && !fenced(g->first) && commit(log, g, bytes));",
     "finish(g, (log->broken || fenced(g->first) || commit(log, g, bytes), true));",
     "test_faults:trouble_of_fdatasync"),
    ("built on what failed and taken", "log_commit.c",
     "finish(g, !log->broken && !fenced(g->first) && commit(log, g, bytes));",
     "finish(g, !log->broken && commit(log, g, bytes));", "test_fence:on_disk"),
    ("failed part not cut off", "log_segments.c",
     "        io->ftruncate(seg->fd, (off_t)(known ? seg->end : 0));", "        (void)0;",
     "test_faults:refused_ones_stay_unseen_after_a_kill"),
    ("a sector with durable bytes is written again", "log_commit.c",
     "    if (!log->o.disk)\n        gap =", "    if (true)\n        gap =", "test_histories:histories"),
    ("cursors do not hold the log", "store.c",
     "        if (c->held < lowest)", "        if (c->in_use && c->held < lowest && false)",
     "test_recovery:many_segments_seek_trim_and_recycle"),
    ("checkpoint forgotten", "image.c",
     "    *image = fresh;\n    return true;", "    image_free(&fresh);\n    return true;", "test_image:frames_and_checkpoint"),
    ("what is believed is not synced first", "recovery.c",
     "(log->o.disk && (io_settle(fd) || io->fsync(log->o.dir)))", "false", "test_histories:histories"),
    ("the page cache is believed", "recovery.c",
     "io_settle(fd)", "io->fdatasync(fd)", "test_histories:page_cache_is_not_believed"),
    ("cursor believed without a sync", "cursor.c",
     "    if (!sync_file(c, e) || !read_file", "    (void)sync_file;\n    if (!read_file",
     "test_histories:a_killed_agents_cursor_is_durable_before_it_counts"),
    ("log begins below a cursor", "recovery.c",
     "        log->next_lsn = min_lsn;", "        (void)0;", "test_recovery:cursor_beyond_the_log"),
    ("ids not kept when the segment goes", "dedup_ids.c",
     "    if (ids->pending.n)\n        flush(ids);\n    flush(ids);", "    buf_clear(&ids->pending);\n    flush(ids);",
     "test_dedup:ids_outlive_their_segments"),
    ("quarantine forgets what a failed sync lost", "quarantine_files.c",
     "        close_file(q); /* it would lie next time */", "        txn_clear(&q->unsynced);",
     "test_quarantine:failed_sync"),
]


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more).returncode


def build(tree, objects, program, changed=None):
    """Compiles what is not there yet, or the one changed file, and links the program."""
    include = ["-I", str(tree / "agent"), "-I", str(tree / "tests/unit")]
    for source in sorted((tree / "agent").glob("base/*.c")) + sorted((tree / "agent").glob("store/*.c")) + \
            sorted((tree / "agent").glob("event/*.c")):
        out = objects / (source.parent.name + "_" + source.stem + ".o")
        if not out.exists() or source.name == changed and source.parent.name == "store":
            out.unlink(missing_ok=True)
            if run([CC, *FLAGS, *include, "-c", str(source), "-o", str(out)]) and source.parent.name != "event":
                return None
    library = objects / "all.a"
    library.unlink(missing_ok=True)
    run(["ar", "rcs", str(library), *map(str, objects.glob("*.o"))])
    binary = objects / program
    binary.unlink(missing_ok=True)
    if run([CC, *FLAGS, *include, str(tree / "tests/unit/store" / (program + ".c")), str(library), "-o", str(binary),
            "-lmbedcrypto", "-lpcre2-8", "-lpthread", "-lm"]):
        return None
    return binary


def fails(binary, case, tree):
    try:
        return run([str(binary), case], timeout=120, cwd=tree / "tests") != 0
    except subprocess.TimeoutExpired:
        return True


def main():
    word = sys.argv[2] if len(sys.argv) > 2 and sys.argv[1] == "-k" else ""
    survivors = killed = 0
    with tempfile.TemporaryDirectory() as folder:
        tree, objects = pathlib.Path(folder) / "tree", pathlib.Path(folder) / "objects"
        objects.mkdir()
        for part in ("agent/base", "agent/event", "agent/store", "tests/unit/store"):
            shutil.copytree(SOURCE / part, tree / part)
        shutil.copy(SOURCE / "tests/unit/test.h", tree / "tests/unit/test.h")
        for test in sorted({m[4] for m in MUTANTS if word in m[0] + m[4]}):  # without a mutant they pass
            program, case = test.split(":")
            binary = build(tree, objects, program)
            if not binary or fails(binary, case, tree):
                print("fails or does not build without a mutant:", test)
                return 1
        for name, file, text, instead, test in MUTANTS:
            if word not in name + test:
                continue
            program, case = test.split(":")
            path = tree / "agent/store" / file
            whole = path.read_text()
            if whole.count(text) != 1:
                print(f"STALE     {name}: its text is in {file} {whole.count(text)} times")
                survivors += 1
                continue
            path.write_text(whole.replace(text, instead))
            binary = build(tree, objects, program, file)
            dead = binary and fails(binary, case, tree)
            path.write_text(whole)
            (objects / ("store_" + path.stem + ".o")).unlink(missing_ok=True)
            print(f"{'killed  ' if dead else 'SURVIVED' if binary else 'NO BUILD'}  {name}  ({test})", flush=True)
            killed += bool(dead)
            survivors += not dead
    print(f"{killed} killed, {survivors} not")
    return survivors != 0


if __name__ == "__main__":
    sys.exit(main())
